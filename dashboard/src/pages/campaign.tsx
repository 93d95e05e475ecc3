import type { Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Api } from "../api/client";
import type { QueryBody } from "../api/types";
import { HeatMap } from "../charts/heat_map";
import { CsvButton } from "../controls/csv_button";
import { titleOf } from "../overview/breakdown";
import { cellsOf, pickHour } from "../overview/heat_map_card";
import { Loaded } from "../overview/loaded";
import { wantNames } from "../state/names";
import { breakdownQuery, entriesOf, eventEntries, EVENTS, hoursQuery, type Entry } from "../state/queries";
import { currentOf, useResource } from "../state/resource";
import type { CardId, View } from "../state/view";
import { named, t } from "../text/index";
import { EntryList } from "./entry_list";
import { LINES, linesQuery } from "./figures";
import { useLive } from "./live";
import { PageHead } from "./page_head";
import { partOf } from "./part";
import { onPage, scopedView } from "./scope";
import { TimeLine } from "./time_line";

export interface CampaignPageProps {
  id: string;
  view: Signal<View>;
  api: Api;
}

/** The dimensions of calls that have a list, and the card of the overview whose sort order each has. */
const LISTS = [["disposition", "result"], ["sentiment_band", "path"], ["label", "place"]] as const;

/** NLPearl's figures of one campaign, for the view's period, zone and filters. */
export function CampaignPage({ id, view, api }: CampaignPageProps) {
  const ask = (make: (scoped: View) => QueryBody) => () => onPage(view.value, "campaign", make);
  const lines = useResource(ask((scoped) => linesQuery(scoped, new Date())), api.query);
  const results = useResource(ask((scoped) => breakdownQuery(scoped, ["disposition", "sentiment_band"])), api.query);
  const labels = useResource(ask((scoped) => breakdownQuery(scoped, ["label"])), api.query);
  const hours = useResource(ask(hoursQuery), api.query);
  useLive(lines, [results, labels, hours]);
  useEffect(() => wantNames("label", view.peek()), [view.value.period, view.value.zone]);

  const scoped = scopedView(view.value);
  const hasNone = currentOf(lines.state.value)?.body.totals["calls"] === 0;
  const lineBody = linesQuery(scoped, new Date());
  const list = (tab: string, card: CardId, entries: Entry[], whole: number, body: QueryBody) =>
    <EntryList tab={tab} card={card} entries={entries} whole={whole} body={body} />;
  return (
    <>
      <PageHead kind="campaign" id={id} view={view} api={api} />
      {hasNone && <p class="banner is-plain" role="status">{t("card.empty")}</p>}
      <div class="cards">
        {LINES.map(([measure, unit, prefix]) => {
          const title = named(prefix, measure);
          return (
            <section key={measure} class={measure === "calls" ? "card card-main" : "card"}>
              <Loaded title={title} {...partOf(lines)} size="size-main">
                {({ body }) => <TimeLine title={title} unit={unit} measure={measure} answer={body} body={lineBody} />}
              </Loaded>
            </section>
          );
        })}
        <section class="card">
          <Loaded title={titleOf("event")} {...partOf(lines)} size="size-bars">
            {({ body }) => {
              const entries = eventEntries(body);
              const whole = entries.reduce((sum, { calls }) => sum + calls, 0);
              const { dimensions: _, ...all } = lineBody;
              return list("event", "mark", entries, whole, { ...all, measures: EVENTS.map((name) => `event.${name}`) });
            }}
          </Loaded>
        </section>
        {LISTS.map(([tab, card]) => (
          <section key={tab} class="card">
            <Loaded title={titleOf(tab)} {...partOf(tab === "label" ? labels : results)} size="size-bars">
              {({ body }) => {
                const whole = body.totals["calls"] ?? 0;
                return list(tab, card, entriesOf(body, tab), whole, breakdownQuery(scoped, [tab]));
              }}
            </Loaded>
          </section>
        ))}
        <section class="card card-wide">
          <Loaded title={t("heat.title")} {...partOf(hours)} size="size-heat">
            {({ body }) => (
              <HeatMap
                title={t("heat.title")} unit="count" onPick={pickHour}
                toolbar={<CsvButton title={t("heat.title")} body={hoursQuery(scoped)} />}
                cells={cellsOf(body)}
              />
            )}
          </Loaded>
        </section>
      </div>
    </>
  );
}
