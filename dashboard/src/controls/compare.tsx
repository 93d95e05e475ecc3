import { navigate, view, type View } from "../state/view";
import { t } from "../text/index";

const KINDS = ["previous_period", "previous_weekdays", "previous_year", "off"] as const;

export function CompareControl() {
  return (
    <label class="choice">
      <span class="choice-label">{t("compare.label")}</span>
      <select
        class="page-input" value={view.value.compare}
        onChange={(event) => navigate({ compare: event.currentTarget.value as View["compare"] })}
      >
        {KINDS.map((kind) => <option key={kind} value={kind}>{t(`compare.${kind}`)}</option>)}
      </select>
    </label>
  );
}

export function nextComparison(kind: View["compare"]): View["compare"] {
  return KINDS[(KINDS.indexOf(kind) + 1) % KINDS.length]!;
}
