import { useEffect, useState } from "preact/hooks";
import { api } from "../api/client";
import type { NamedValue, Value } from "../api/types";
import { decimal } from "../format/decimal";
import { keepNames, valueName } from "../state/names";
import { boundsOf } from "../state/periods";
import { useResource } from "../state/resource";
import { view } from "../state/view";
import { t } from "../text/index";
import { ErrorNote } from "../overview/error_note";

export interface ValueListProps {
  field: string;
  chosen: Value[];
  inSearch: boolean;
  onChange(chosen: Value[]): void;
}

const PAUSE_MS = 200;
const MOST = 50;

/** The values of a field to choose from, with their counts in the view's period. */
export function ValueList({ field, chosen, inSearch, onChange }: ValueListProps) {
  const [typed, setTyped] = useState("");
  const q = usePaused(typed.trim());
  const wanted = usePaused(field);
  const { period, zone } = view.value;
  const found = useResource(
    () => ({ ...boundsOf(period, zone, new Date()), timezone: zone, q, limit: MOST }),
    async (options, signal) => {
      const { body } = await api.values(wanted, options, signal);
      keepNames(wanted, body.values);
      return body.values;
    },
    [wanted, q, period, zone],
  );
  const { data, error, status } = found.state.value;
  const rows = rowsOf(data ?? [], chosen);
  const isOwn = q !== "" && canBeTyped(field) && !rows.some(({ value }) => String(value) === q);
  // In the place that it has once it is chosen, so that the focus stays on it.
  if (isOwn) rows.unshift({ value: q, count: null });
  const toggle = (value: Value) =>
    onChange(chosen.includes(value) ? chosen.filter((one) => one !== value) : [...chosen, value]);
  return (
    <div class="values">
      <input
        class="page-input" type="search" autofocus={inSearch} placeholder={t("filter.search")} aria-label={t("filter.search")}
        spellcheck={false} value={typed} onInput={(event) => setTyped(event.currentTarget.value)}
      />
      <div class="values-list" role="group" aria-label={t("filter.values")} aria-busy={status === "loading"}>
        {rows.map(({ value, count }, place) => (
          <label key={`${typeof value} ${value}`} class="values-row">
            <input type="checkbox" checked={chosen.includes(value)} onChange={() => toggle(value)} />
            <span class="values-name" title={String(value)}>{isOwn && place === 0 ? t("filter.own", { value: q }) : valueName(field, value)}</span>
            <span class="values-count">{count === null ? "" : decimal(count)}</span>
          </label>
        ))}
        {error !== null && <ErrorNote title={t("filter.values")} error={error} onRetry={found.reload} />}
        {status === "ready" && rows.length === 0 && <p class="values-none">{t("filter.none")}</p>}
        {data === null && error === null && <p class="values-none">{t("shell.loading")}</p>}
      </div>
    </div>
  );
}

/** A text once it has not changed for a moment: it is being typed. */
function usePaused(text: string): string {
  const [paused, setPaused] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setPaused(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return paused;
}

interface ListRow {
  value: Value;
  count: number | null;
}

/** What was found, after what is chosen and was not found. No row moves when it is chosen. */
function rowsOf(found: NamedValue[], chosen: Value[]): ListRow[] {
  const isFound = (value: Value) => found.some((one) => one.value === value);
  return [...chosen.filter((value) => !isFound(value)).map((value) => ({ value, count: null })), ...found];
}

/** Numbers and booleans are only chosen from the list: what is typed is a text. */
const canBeTyped = (field: string): boolean => !["attempt", "hour_of_day", "day_of_week", "answered"].includes(field);
