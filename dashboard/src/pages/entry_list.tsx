import type { QueryBody, Value } from "../api/types";
import { BarList } from "../charts/bar_list";
import { CsvButton } from "../controls/csv_button";
import { barOf, nextSort, pickValue, titleOf } from "../overview/breakdown";
import type { Entry } from "../state/queries";
import { navigate, view, type CardId } from "../state/view";

export interface EntryListProps {
  /** What the entries are values of: a dimension, or "event". */
  tab: string;
  /** The card of the overview whose sort order in the address this list has too. */
  card: CardId;
  entries: Entry[];
  /** What the shares are of. */
  whole: number;
  body: QueryBody;
}

/** Calls by value, as bars; a click filters by the value. */
export function EntryList({ tab, card, entries, whole, body }: EntryListProps) {
  const sort = view.value.sorts[card];
  const title = titleOf(tab);
  const bars = entries
    .filter(({ calls, previous }) => calls > 0 || (previous ?? 0) > 0)
    .map((entry) => barOf(tab, entry, whole));
  return (
    <BarList
      title={title}
      unit="count"
      bars={bars}
      sort={sort.by}
      descending={sort.descending}
      toolbar={<CsvButton title={title} body={body} />}
      onSort={(by) => navigate({ sorts: { ...view.peek().sorts, [card]: nextSort(sort, by) } }, "replace")}
      onPick={(key) => pickValue(tab, JSON.parse(key) as Value | null)}
    />
  );
}
