import { max } from "d3-array";
import { changeOf } from "../format/change";
import { formatValue, type Unit } from "../format/numbers";
import { locale, t } from "../text";
import { Figure } from "./figure";
import { useRoving } from "./hooks";
import { barSummary, barTable, formatShare, isCompared } from "./summary";
import type { Bar, BarListProps, SortBy } from "./types";

/** Values by name, each a bar that can be picked, with its share and its change. */
export function BarList({ title, unit, bars, sort, descending, toolbar, onSort, onPick }: BarListProps) {
  const sorted = sortBars(bars, unit, sort, descending);
  const compared = isCompared(bars);
  const longest = max(bars, (bar) => bar.value) || 1;
  const { stop, container } = useRoving(sorted.length, 1);
  const head = (by: SortBy) => (
    <button
      type="button"
      class={`bars-sort bars-${by}`}
      aria-label={`${t("chart.sort", { name: t(`chart.sort.${by}`) })}${sort === by ? `, ${t(descending ? "chart.descending" : "chart.ascending")}` : ""}`}
      onClick={() => onSort(by)}
    >
      {t(`chart.${by}`)}{sort === by && <span class="bars-arrow">{descending ? "▾" : "▴"}</span>}
    </button>
  );
  return (
    <Figure title={title} summary={barSummary(unit, bars)} table={() => barTable(title, unit, sorted)} toolbar={toolbar} isEmpty={bars.length === 0}>
      <div class={compared ? "bars bars-compared" : "bars"}>
        <div class="bars-head">
          {head("name")}
          {head("value")}
          <span class="bars-share">{t("chart.share")}</span>
          {compared && head("change")}
        </div>
        <ul class="bars-rows" {...container}>
          {sorted.map((bar, index) => {
            const change = changeOf(bar.value, bar.previous, unit);
            return (
              <li key={bar.key}>
                <button
                  type="button"
                  class={bar.muted ? "bars-row bars-muted" : "bars-row"}
                  data-index={index}
                  tabIndex={index === stop ? 0 : -1}
                  title={bar.name}
                  onClick={() => onPick(bar.key)}
                >
                  <span class="bars-fill" style={{ width: `${Math.max(0, (100 * bar.value) / longest)}%` }} />
                  <span class="bars-name">{bar.name}</span>
                  <span class="bars-value">{formatValue(bar.value, unit)}</span>
                  <span class="bars-share">{formatShare(bar.share)}</span>
                  {compared && <span class="bars-change" aria-hidden="true">{change.text} <i>{change.arrow}</i></span>}
                  {compared && <span class="only-read">{change.words}</span>}
                </button>
              </li>
            );
          })}
        </ul>
      </div>
    </Figure>
  );
}

/** A copy in order; muted bars are last, equal bars keep their order, those without a change follow the others. */
export function sortBars(bars: Bar[], unit: Unit, sort: SortBy, descending: boolean): Bar[] {
  const sign = descending ? -1 : 1;
  const collator = new Intl.Collator(locale, { numeric: true });
  return [...bars].sort((a, b) => {
    const muted = Number(!!a.muted) - Number(!!b.muted);
    if (muted !== 0) return muted;
    if (sort === "name") return sign * collator.compare(a.name, b.name);
    if (sort === "value") return sign * (a.value - b.value);
    const [left, right] = [changeSize(a, unit), changeSize(b, unit)];
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    return left === right ? 0 : sign * (left - right);
  });
}

/** What `changeOf` says, as a number: relative, or the difference of percents and scores. */
function changeSize({ value, previous }: Bar, unit: Unit): number | null {
  if (previous == null) return null;
  if (value === previous) return 0;
  if (unit === "percent" || unit === "score") return value - previous;
  return previous === 0 ? Infinity : (value - previous) / Math.abs(previous);
}
