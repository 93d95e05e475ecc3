import type { ComponentChildren } from "preact";
import { changeOf } from "../format/change";
import { formatValue } from "../format/numbers";
import { formatShare } from "../charts/summary";
import type { Bar } from "../charts/types";
import type { Sort, SortBy } from "../state/view";
import { t } from "../text/index";

/** More rows than this are no longer read, and slow to draw. */
export const MOST_ROWS = 500;

export interface EntryTableProps {
  title: string;
  tab: string;
  bars: Bar[];
  sort: Sort;
  note: string | null;
  toolbar: ComponentChildren;
  onSort(by: SortBy): void;
  onPick(key: string): void;
}

/** All values of a dimension. */
export function EntryTable({ title, tab, bars, sort, note, toolbar, onSort, onPick }: EntryTableProps) {
  const isCompared = bars.some(({ previous }) => previous !== undefined);
  const head = (by: SortBy, text: string) => (
    <th scope="col" aria-sort={sort.by === by ? (sort.descending ? "descending" : "ascending") : "none"}>
      <button type="button" class="table-sort" onClick={() => onSort(by)}>
        {text}<span aria-hidden="true">{sort.by === by ? (sort.descending ? " ▾" : " ▴") : ""}</span>
      </button>
    </th>
  );
  return (
    <>
      <div class="chart-head">
        <h3 class="chart-title">{title}</h3>
        <div class="chart-tools">{toolbar}</div>
      </div>
      <div class="table-scroll" role="region" aria-label={title} tabIndex={0}>
        <table class="table">
          <thead>
            <tr>
              {head("name", t("card.name"))}
              {head("value", t(tab === "event" ? "card.times" : "card.calls"))}
              <th scope="col">{t("card.share")}</th>
              {isCompared && <th scope="col">{t("card.previous")}</th>}
              {isCompared && head("change", t("card.change"))}
            </tr>
          </thead>
          <tbody>
            {bars.slice(0, MOST_ROWS).map((bar) => {
              const change = changeOf(bar.value, bar.previous, "count");
              return (
                <tr key={bar.key}>
                  <th scope="row"><button type="button" class="table-pick" onClick={() => onPick(bar.key)}>{bar.name}</button></th>
                  <td>{formatValue(bar.value, "count")}</td>
                  <td>{formatShare(bar.share)}</td>
                  {isCompared && <td>{formatValue(bar.previous, "count")}</td>}
                  {isCompared && <td title={change.words}>{change.arrow} {change.text}</td>}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {bars.length > MOST_ROWS && <p class="card-note">{t("card.capped", { count: MOST_ROWS })}</p>}
      {note !== null && <p class="card-note">{note}</p>}
    </>
  );
}
