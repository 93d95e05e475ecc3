import type { Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Api } from "../api/client";
import type { QueryBody } from "../api/types";
import { HeatMap } from "../charts/heat_map";
import { CsvButton } from "../controls/csv_button";
import { EntryList, titleOf } from "../overview/breakdown";
import { cellsOf, pickHour } from "../overview/heat_map_card";
import { KeptTable } from "../overview/kept_table";
import { Loaded } from "../overview/loaded";
import { Forbidden, isForbidden } from "../overview/notices";
import { wantNames } from "../state/names";
import { breakdownQuery, EVENTS, hoursQuery } from "../state/queries";
import { currentOf, useResource } from "../state/resource";
import type { CardId, View } from "../state/view";
import { named, t } from "../text/index";
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
  const source = useLive(lines, [results, labels, hours]);
  useEffect(() => {
    for (const dimension of ["campaign_id", "label"]) wantNames(dimension, view.peek());
  }, [view.value.period, view.value.zone]);

  const scoped = scopedView(view.value);
  const hasNone = currentOf(lines.state.value)?.body.totals["calls"] === 0;
  const lineBody = linesQuery(scoped, new Date());
  const { dimensions: _, ...ofAllTime } = lineBody;
  const eventsBody = { ...ofAllTime, measures: EVENTS.map((name) => `event.${name}`) };
  if (isForbidden(lines.state.value.error)) return <Forbidden />;
  const cardOf = (card: CardId) => (view.value.all === card ? "card is-all" : "card");
  return (
    <>
      <PageHead kind="campaign" id={id} view={view} api={api} source={source} />
      {hasNone && <p class="banner is-plain" role="status">{t("card.empty")}</p>}
      <div class="cards">
        {LINES.map(([measure, unit, prefix]) => {
          const title = named(prefix, measure);
          return (
            <section key={measure} class={measure === "calls" ? "card card-main" : "card"}>
              <Loaded title={title} {...partOf(lines)} size="size-main">
                {({ body }) => (
                  <TimeLine figure={measure} title={title} unit={unit} measure={measure} answer={body} body={lineBody} />
                )}
              </Loaded>
            </section>
          );
        })}
        <section class={cardOf("mark")}>
          <Loaded title={titleOf("event")} {...partOf(lines)} size="size-bars">
            {({ body }) => (
              <KeptTable figure="mark"><EntryList card="mark" tab="event" answer={body} csv={eventsBody} /></KeptTable>
            )}
          </Loaded>
        </section>
        {LISTS.map(([tab, card]) => (
          <section key={tab} class={cardOf(card)}>
            <Loaded title={titleOf(tab)} {...partOf(tab === "label" ? labels : results)} size="size-bars">
              {({ body }) => (
                <KeptTable figure={card}>
                  <EntryList card={card} tab={tab} answer={body} csv={breakdownQuery(scoped, [tab])} />
                </KeptTable>
              )}
            </Loaded>
          </section>
        ))}
        <section class="card card-wide">
          <Loaded title={t("heat.title")} {...partOf(hours)} size="size-heat">
            {({ body }) => (
              <KeptTable figure="heat">
                <HeatMap
                  title={t("heat.title")} unit="count" onPick={pickHour}
                  toolbar={<CsvButton title={t("heat.title")} body={hoursQuery(scoped)} />}
                  cells={cellsOf(body)}
                />
              </KeptTable>
            )}
          </Loaded>
        </section>
      </div>
    </>
  );
}
