import type { Signal } from "@preact/signals";
import type { Api } from "../api/client";
import type { NamedValue, QueryAnswer, Value } from "../api/types";
import { BarList } from "../charts/bar_list";
import { HeatMap } from "../charts/heat_map";
import { TimeChart } from "../charts/time_chart";
import type { Bar } from "../charts/types";
import { addFilter, toggleValue } from "../state/filters";
import { bucketOf, bucketPeriod } from "../state/periods";
import { breakdownQuery, entriesOf, eventEntries, hoursQuery, pointsOf, type Entry } from "../state/queries";
import { useResource } from "../state/resource";
import { navigate, type CardId, type View } from "../state/view";
import { named, t } from "../text/index";
import { LINES, linesQuery } from "./figures";
import { Loaded } from "./loaded";
import { nameIn, useValues } from "./names";
import { PageHead } from "./page_head";
import { onPage } from "./scope";

export interface CampaignPageProps {
  id: string;
  view: Signal<View>;
  api: Api;
}

/** Which of the view's sort orders a list uses: the address has one for each card of the overview. */
const SORT_OF = { disposition: "result", label: "place", sentiment_band: "path", event: "mark" } as const satisfies Record<string, CardId>;
type List = keyof typeof SORT_OF;

/** NLPearl's figures of one campaign, for the view's period, zone and filters. */
export function CampaignPage({ id, view, api }: CampaignPageProps) {
  const campaigns = useValues(api, "campaign_id", "calls");
  const labels = useValues(api, "label", "calls");
  const lines = useResource(() => onPage(view.value, "campaign", (scoped) => linesQuery(scoped, new Date())), api.query);
  const results = useResource(
    () => onPage(view.value, "campaign", (scoped) => breakdownQuery(scoped, ["disposition", "sentiment_band"])), api.query,
  );
  const marks = useResource(() => onPage(view.value, "campaign", (scoped) => breakdownQuery(scoped, ["label"])), api.query);
  const hours = useResource(() => onPage(view.value, "campaign", hoursQuery), api.query);
  const list = { view: view.value, labels };
  return (
    <div class="sheet">
      <PageHead kind="campaign" id={id} name={nameIn(campaigns, id)} view={view} api={api} />
      <Loaded title={t("campaign.lines")} resource={lines} cards={LINES.length}>
        {(answer) => <Lines answer={answer} view={view.value} />}
      </Loaded>
      <Loaded title={t("campaign.results")} resource={results} cards={2}>
        {(answer) => (
          <>
            <EntryList list="disposition" entries={entriesOf(answer, "disposition")} whole={answer.totals["calls"]} {...list} />
            <EntryList list="sentiment_band" entries={entriesOf(answer, "sentiment_band")} whole={answer.totals["calls"]} {...list} />
          </>
        )}
      </Loaded>
      <Loaded title={t("card.title_label")} resource={marks}>
        {(answer) => <EntryList list="label" entries={entriesOf(answer, "label")} whole={answer.totals["calls"]} {...list} />}
      </Loaded>
      <Loaded title={t("card.title_event")} resource={lines}>
        {(answer) => <EntryList list="event" entries={eventEntries(answer)} whole={null} {...list} />}
      </Loaded>
      <Loaded title={t("heat.title")} resource={hours}>
        {(answer) => <Hours answer={answer} view={view.value} />}
      </Loaded>
    </div>
  );
}

function Lines({ answer, view }: { answer: QueryAnswer; view: View }) {
  const bucket = bucketOf(view.period, view.zone, new Date());
  return (
    <>
      {LINES.map(([measure, unit, prefix]) => (
        <div key={measure} class="sheet-card">
          <TimeChart
            title={named(prefix, measure)}
            unit={unit}
            bucket={bucket}
            points={pointsOf(answer, bucket, measure)}
            compared={answer.previous_totals !== undefined}
            total={answer.totals[measure] ?? null}
            previousTotal={answer.previous_totals?.[measure] ?? null}
            onPick={(label) => navigate({ period: bucketPeriod(label, bucket) })}
          />
        </div>
      ))}
    </>
  );
}

interface EntryListProps {
  list: List;
  entries: Entry[];
  /** What the shares are of; null: the entries together. */
  whole: number | null | undefined;
  view: View;
  labels: NamedValue[] | null;
}

function EntryList({ list, entries, whole, view, labels }: EntryListProps) {
  const card = SORT_OF[list];
  const { by, descending } = view.sorts[card];
  const sum = whole ?? entries.reduce((sum, { calls }) => sum + calls, 0);
  const bars: Bar[] = entries
    .filter(({ calls, previous }) => calls > 0 || (previous ?? 0) > 0)
    .map(({ value, calls, previous }) => ({
      key: JSON.stringify(value),
      name: value === null ? t("value.none") : nameOfEntry(list, value, labels),
      value: calls,
      share: sum === 0 ? 0 : calls / sum,
      previous,
      muted: value === null,
    }));
  return (
    <div class="sheet-card">
      <BarList
        title={list === "event" ? t("card.title_event") : t("card.title", { field: named("field", list) })}
        unit="count"
        bars={bars}
        sort={by}
        descending={descending}
        onSort={(chosen) => navigate({
          sorts: { ...view.sorts, [card]: { by: chosen, descending: chosen === by ? !descending : chosen !== "name" } },
        })}
        onPick={(key) => pick(list, JSON.parse(key) as Value | null, view)}
      />
    </div>
  );
}

function nameOfEntry(list: List, value: Value, labels: NamedValue[] | null): string {
  if (list === "label") return nameIn(labels, value);
  return list === "event" ? named("field", `event.${value}`) : named(`value.${list}`, String(value));
}

/** A click on an event keeps the calls where it happened; on any other value, those that have it. */
function pick(list: List, value: Value | null, view: View): void {
  const filters = list === "event"
    ? addFilter(view.filters, { field: `event.${value}`, op: "gt", values: [0] })
    : toggleValue(view.filters, list, value);
  navigate({ filters });
}

function Hours({ answer, view }: { answer: QueryAnswer; view: View }) {
  const cells = answer.rows.map((row) => ({
    hour: Number(row["hour_of_day"]), weekday: Number(row["day_of_week"]), value: Number(row["calls"]),
  }));
  const keepHour = (hour: number, weekday: number) => navigate({
    filters: [
      ...view.filters.filter(({ field }) => field !== "day_of_week" && field !== "hour_of_day"),
      { field: "day_of_week", op: "eq", values: [weekday] },
      { field: "hour_of_day", op: "eq", values: [hour] },
    ],
  });
  return (
    <div class="sheet-card sheet-wide">
      <HeatMap title={t("heat.title")} unit="count" cells={cells} onPick={keepHour} />
    </div>
  );
}
