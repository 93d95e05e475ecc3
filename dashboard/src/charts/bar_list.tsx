import { max } from "d3-array";
import { changeOf } from "../format/change";
import { formatValue, type Unit } from "../format/numbers";
import { locale, t } from "../text";
import { Figure } from "./figure";
import { useRoving } from "./hooks";
import { barSummary, barTable, formatShare, isCompared } from "./summary";
import type { Bar, BarListProps, SortBy } from "./types";

/** Values by name, each a bar that can be picked, with its share and its change. */
export function BarList({ title, unit, bars, sort, descending, top, toolbar, onSort, onPick }: BarListProps) {
  const { rows, summary } = listOf({ unit, bars, sort, descending, top });
  const compared = isCompared(bars);
  const longest = max(rows, (bar) => bar.value) || 1;
  const { stop, container } = useRoving(rows.length, 1);
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
    <Figure title={title} summary={summary} table={() => barTable(title, unit, rows)} toolbar={toolbar} isEmpty={bars.length === 0}>
      <div class={compared ? "bars bars-compared" : "bars"}>
        <div class="bars-head">
          {head("name")}
          {head("value")}
          <span class="bars-share">{t("chart.share")}</span>
          {compared && head("change")}
        </div>
        <ul class="bars-rows" {...container}>
          {rows.map((bar, index) => {
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

/** The bars to show, in order, and the sentence, which is the same in every order. */
export function listOf({ unit, bars, sort, descending, top }: ListProps): { rows: Bar[]; summary: string } {
  return { rows: topOf(sortBars(bars, unit, sort, descending), top), summary: barSummary(unit, bars) };
}

type ListProps = Pick<BarListProps, "unit" | "bars" | "sort" | "descending"> & { top: number | undefined };

/** The first ones, and the muted ones, which are often the greatest. */
export function topOf(sorted: Bar[], top = Infinity): Bar[] {
  return [...sorted.filter(({ muted }) => !muted).slice(0, top), ...sorted.filter(({ muted }) => muted)];
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
