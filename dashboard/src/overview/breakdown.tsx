import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { api, type Answer } from "../api/client";
import type { QueryAnswer, QueryBody, Value } from "../api/types";
import { BarList, sortBars, topOf } from "../charts/bar_list";
import type { Bar } from "../charts/types";
import { CsvButton } from "../controls/csv_button";
import { addFilter, toggleValue } from "../state/filters";
import { fieldName, valueName, wantNames } from "../state/names";
import {
  breakdownQuery, entriesOf, eventEntries, EVENTS, isWhole, overviewQuery, TOP, type Entry,
} from "../state/queries";
import { useResource, type ResourceState } from "../state/resource";
import { navigate, TABS, view, type CardId, type Sort, type SortBy } from "../state/view";
import { named, t } from "../text/index";
import type { OverviewData } from "./data";
import { EntryTable } from "./entry_table";
import { KeptTable } from "./kept_table";
import { Loaded } from "./loaded";

/** Calls by the dimension of the open tab. */
export function Breakdown({ card, data }: { card: CardId; data: OverviewData }) {
  const tab = view.value.tabs[card];
  const place = useRef<HTMLElement>(null);
  const answer = useAnswer(card, tab, data, useSeen(place));
  useEffect(() => wantNames(tab, view.peek()), [tab, view.value.period, view.value.zone]);
  const isAll = view.value.all === card;
  return (
    <section class={isAll ? "card is-all" : "card"} ref={place}>
      <Tabs card={card} />
      <div role="tabpanel" id={`panel-${card}`} aria-labelledby={`tab-${card}-${tab}`}>
        <Loaded title={titleOf(tab)} {...answer} size={card === "result" ? "size-ten" : "size-bars"}>
          {({ body }) => (
            <KeptTable figure={card}><EntryList key={tab} card={card} tab={tab} answer={body} csv={csvBody(tab)} /></KeptTable>
          )}
        </Loaded>
      </div>
    </section>
  );
}

function Tabs({ card }: { card: CardId }) {
  const current = view.value.tabs[card];
  const tabs = TABS[card];
  const move = (event: KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const next = tabs[(tabs.indexOf(current) + step + tabs.length) % tabs.length];
    if (step === 0 || next === undefined) return;
    event.preventDefault();
    choose(card, next);
    document.getElementById(`tab-${card}-${next}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label={t(`card.${card}`)} onKeyDown={move}>
      {tabs.map((tab) => (
        <button
          key={tab} type="button" role="tab" class="tab" id={`tab-${card}-${tab}`} aria-selected={tab === current}
          aria-controls={`panel-${card}`} tabIndex={tab === current ? 0 : -1} onClick={() => choose(card, tab)}
        >
          {fieldName(tab)}
        </button>
      ))}
    </div>
  );
}

function choose(card: CardId, tab: string): void {
  navigate({ tabs: { ...view.peek().tabs, [card]: tab } }, "replace");
}

interface EntryListProps {
  /** Whose order, and whose choice between the top ten and all, the address holds. */
  card: CardId;
  /** What the entries are values of: a dimension of the answer, or "event". */
  tab: string;
  answer: QueryAnswer;
  /** The query whose CSV has all entries. */
  csv: QueryBody;
}

/** The values of a dimension: the ten most as bars, or all of them as a table; a click filters by the value. */
export function EntryList({ card, tab, answer, csv }: EntryListProps) {
  const isAll = view.value.all === card;
  const title = titleOf(tab);
  const entries = tab === "event" ? eventEntries(answer) : entriesOf(answer, tab);
  const total = tab === "event" ? entries.reduce((sum, { calls }) => sum + calls, 0) : (answer.totals["calls"] ?? 0);
  const bars = entries.filter(({ calls, previous }) => calls > 0 || (previous ?? 0) > 0).map((entry) => barOf(tab, entry, total));
  const sort = view.value.sorts[card];
  const values = useMemo(() => new Map(entries.map(({ value }) => [keyOf(value), value])), [answer, tab]);
  const pick = (key: string) => pickValue(tab, values.get(key) ?? null);
  const toolbar = (
    <>
      {(isAll || bars.length > topOf(bars, TOP).length) && (
        <button type="button" class="chart-button" aria-expanded={isAll} onClick={() => navigate({ all: isAll ? null : card })}>
          {isAll ? t("card.top") : t("card.all", { count: bars.length })}
        </button>
      )}
      <CsvButton title={title} body={csv} />
    </>
  );
  const onSort = (by: SortBy) => navigate({ sorts: { ...view.peek().sorts, [card]: nextSort(sort, by) } }, "replace");
  const note = isWhole(answer) || tab === "event" ? null : t("card.incomplete", { count: answer.rows.length });
  if (isAll) {
    const sorted = sortBars(bars, "count", sort.by, sort.descending);
    return <EntryTable title={title} tab={tab} bars={sorted} sort={sort} note={note} toolbar={toolbar} onSort={onSort} onPick={pick} />;
  }
  return (
    <BarList
      title={title} unit="count" bars={bars} sort={sort.by} descending={sort.descending} top={TOP}
      toolbar={toolbar} onSort={onSort} onPick={pick}
    />
  );
}

/** A row of a card; calls without a value come last. */
function barOf(tab: string, { value, calls, previous }: Entry, total: number): Bar {
  return {
    key: keyOf(value),
    name: valueName(tab, value),
    value: calls,
    share: total === 0 ? 0 : calls / total,
    muted: value === null,
    ...(previous === null ? {} : { previous }),
  };
}

/** A click filters by the value; an event, by calls in which it happened. */
function pickValue(tab: string, value: Value | null): void {
  const { filters } = view.peek();
  if (tab === "event") navigate({ filters: addFilter(filters, { field: `event.${value}`, op: "gt", values: [0] }) });
  else navigate({ filters: toggleValue(filters, tab, value) });
}

function csvBody(tab: string): QueryBody {
  if (tab !== "event") return breakdownQuery(view.value, [tab]);
  const { dimensions: _, ...body } = overviewQuery(view.value, new Date());
  return { ...body, measures: EVENTS.map((name) => `event.${name}`) };
}

/** A column that is chosen turns round; another one begins with its most, names with the first. */
function nextSort(sort: Sort, by: SortBy): Sort {
  return sort.by === by ? { by, descending: !sort.descending } : { by, descending: by !== "name" };
}

export function titleOf(tab: string): string {
  return named("card.by", tab);
}

const keyOf = (value: Value | null): string => JSON.stringify(value);

interface CardAnswer {
  state: ResourceState<Answer<QueryAnswer>>;
  onRetry(): void | Promise<void>;
}

/** The answer that a card shows: shared with others, or its own once it has come into sight. */
function useAnswer(card: CardId, tab: string, data: OverviewData, isSeen: boolean): CardAnswer {
  const isOwn = tab !== "event" && (card === "mark" || data.isApart.value);
  const own = useResource(
    () => (isOwn && isSeen && (card === "mark" || data.isCounted.value) ? breakdownQuery(view.value, [tab]) : null),
    (body, signal) => api.query(body, signal),
    [tab, isOwn, isSeen],
  );
  const round = data.round.value;
  useEffect(() => {
    if (round > 0) void own.reload();
  }, [round]);
  const trust = own.state.value.data?.trust;
  useEffect(() => {
    data.report(card, isOwn && trust !== undefined ? trust : null);
  }, [isOwn, trust]);
  const source = isOwn ? own : tab === "event" ? data.calls : data.together;
  const state = source.state.value;
  const row = state.data?.body.rows[0];
  // After a change of tabs the shared answer of before has not the one that is wanted.
  const isOther = source === data.together && row !== undefined && !(tab in row);
  return { state: isOther ? { ...state, data: null } : state, onRetry: source.reload };
}

/** Whether an element has been in sight. */
function useSeen(place: { current: HTMLElement | null }): boolean {
  const [isSeen, setIsSeen] = useState(false);
  useEffect(() => {
    if (place.current === null) return;
    const watcher = new IntersectionObserver((entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) setIsSeen(true);
    }, { rootMargin: "200px" });
    watcher.observe(place.current);
    return () => watcher.disconnect();
  }, []);
  return isSeen;
}
