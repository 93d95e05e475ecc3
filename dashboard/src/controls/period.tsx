import { useState } from "preact/hooks";
import { periodName } from "../format/periods";
import { NAMED, toDays } from "../state/periods";
import { navigate, view } from "../state/view";
import { t } from "../text/index";
import { opened } from "./open";
import { Popover } from "./popover";

export function PeriodControl() {
  const { period, zone } = view.value;
  return (
    <div class="segments" role="group" aria-label={t("period.label")}>
      {NAMED.map((name) => (
        <button
          key={name} type="button" class="segment" aria-pressed={period === name}
          onClick={() => navigate({ period: name })}
        >
          {t(`period.${name}`)}
        </button>
      ))}
      <Popover
        class={typeof period === "string" ? "segment" : "segment is-chosen"}
        name={t("period.custom")}
        label={typeof period === "string" ? t("period.custom") : periodName(period, zone)}
        isOpen={opened.value === "period"}
        onToggle={setOpened}
      >
        <CustomForm />
      </Popover>
    </div>
  );
}

const setOpened = (isOpen: boolean) => {
  opened.value = isOpen ? "period" : null;
};

function CustomForm() {
  const days = toDays(view.value.period, view.value.zone, new Date());
  const [from, setFrom] = useState(days.from);
  const [to, setTo] = useState(days.to);
  const isOrdered = from <= to;
  const submit = (event: Event) => {
    event.preventDefault();
    if (!isOrdered || from === "" || to === "") return;
    opened.value = null;
    navigate({ period: { from, to } });
  };
  return (
    <form class="custom" onSubmit={submit}>
      <label>
        {t("period.from")}
        <input class="page-input" type="date" required autofocus max="9998-12-31" value={from} onInput={(event) => setFrom(event.currentTarget.value)} />
      </label>
      <label>
        {t("period.to")}
        <input class="page-input" type="date" required max="9998-12-31" value={to} onInput={(event) => setTo(event.currentTarget.value)} />
      </label>
      {!isOrdered && <p class="page-fault" role="alert">{t("period.order")}</p>}
      <button type="submit" class="page-button is-primary">{t("period.apply")}</button>
    </form>
  );
}
