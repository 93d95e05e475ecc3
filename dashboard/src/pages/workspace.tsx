import type { Signal } from "@preact/signals";
import type { Api } from "../api/client";
import type { QueryBody, Value } from "../api/types";
import { formatShare } from "../charts/summary";
import { CsvButton } from "../controls/csv_button";
import { useOnline } from "../drawer/online";
import { changeOf } from "../format/change";
import { formatValue } from "../format/numbers";
import { Loaded } from "../overview/loaded";
import { useResource } from "../state/resource";
import type { View } from "../state/view";
import { named, t } from "../text/index";
import { CONTACTS, contactsQuery, kindsQuery, rankedOf, topQuery, type ContactKind, type Ranked } from "./figures";
import { useLive } from "./live";
import { nameIn, useValues } from "./names";
import { PageHead } from "./page_head";
import { partOf } from "./part";
import { onPage } from "./scope";
import { TimeLine } from "./time_line";

export interface WorkspacePageProps {
  id: string;
  view: Signal<View>;
  api: Api;
}

/** Rows per page of a CSV, which has all of them. */
const ALL = 10_000;

/** Nexus' figures of one workspace, for the view's period and zone; filters of calls do not apply to it. */
export function WorkspacePage({ id, view, api }: WorkspacePageProps) {
  return (
    <>
      <PageHead kind="workspace" id={id} view={view} api={api} />
      {view.value.filters.length > 0 && <p class="sheet-note">{t("workspace.filters")}</p>}
      <div class="cards">
        {CONTACTS.map((kind) => <ContactLine key={kind} kind={kind} view={view} api={api} />)}
      </div>
      <div class="cards sheet-tables">
        <Top dimension="room_id" view={view} api={api} />
        <Top dimension="booking_page_id" view={view} api={api} />
        <Kinds view={view} api={api} />
      </div>
    </>
  );
}

/** The name of a kind of events; kinds of the organisation's own stay as they were sent. */
function kindName(kind: Value): string {
  return CONTACTS.some((known) => known === kind) ? named("workspace.kind", String(kind)) : String(kind);
}

type Part = Omit<WorkspacePageProps, "id">;

function ContactLine({ kind, view, api }: Part & { kind: ContactKind }) {
  const body = () => onPage(view.value, "workspace", (shown, id) => contactsQuery(shown, id, kind, new Date()));
  const events = useResource(body, api.query);
  useLive(events, []);
  const title = named("workspace.kind", kind);
  const wanted = body();
  return (
    <section class="card">
      <Loaded title={title} {...partOf(events)} size="size-main">
        {(answer) => wanted !== null && (
          <TimeLine title={title} unit="count" measure="events" answer={answer.body} body={wanted} />
        )}
      </Loaded>
    </section>
  );
}

function Kinds({ view, api }: Part) {
  const body = () => onPage(view.value, "workspace", kindsQuery);
  return <Ranking title={t("workspace.kinds")} dimension="event_type" body={body} nameOf={kindName} api={api} />;
}

function Top({ dimension, view, api }: Part & { dimension: "room_id" | "booking_page_id" }) {
  const values = useValues(api, dimension, "contact_events");
  const body = () => onPage(view.value, "workspace", (shown, id) => topQuery(shown, id, dimension));
  const title = named("workspace.top", dimension);
  return <Ranking title={title} dimension={dimension} body={body} nameOf={(value) => nameIn(values, value)} api={api} />;
}

interface RankingProps {
  title: string;
  dimension: string;
  body(): QueryBody | null;
  nameOf(value: Value): string;
  api: Api;
}

function Ranking({ title, dimension, body, nameOf, api }: RankingProps) {
  const ranking = useResource(body, api.query);
  useOnline(() => void ranking.reload());
  const wanted = body();
  return (
    <section class="card">
      <Loaded title={title} {...partOf(ranking)} size="size-small">
        {({ body: answer }) => (
          <>
            <div class="chart-head">
              <h3 class="chart-title">{title}</h3>
              <div class="chart-tools">
                {wanted !== null && <CsvButton title={title} body={{ ...wanted, limit: ALL }} />}
              </div>
            </div>
            <RankedTable
              title={title}
              rows={rankedOf(answer, dimension, "events").filter(({ count }) => count > 0)}
              nameOf={nameOf}
              isCompared={answer.previous_totals !== undefined}
            />
          </>
        )}
      </Loaded>
    </section>
  );
}

interface RankedTableProps {
  title: string;
  rows: Ranked[];
  nameOf(value: Value): string;
  isCompared: boolean;
}

/** A table whose rows lead nowhere, since events of contacts are no calls that the drawer could list. */
function RankedTable({ title, rows, nameOf, isCompared }: RankedTableProps) {
  if (rows.length === 0) return <p class="chart-none">{t("workspace.none")}</p>;
  return (
    <table class="sheet-table" aria-label={title}>
      <thead>
        <tr>
          <th scope="col">{t("card.name")}</th>
          <th scope="col">{t("workspace.count")}</th>
          <th scope="col">{t("card.share")}</th>
          {isCompared && <th scope="col">{t("card.change")}</th>}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ value, count, share, previous }) => {
          const change = changeOf(count, previous, "count");
          return (
            <tr key={String(value)}>
              <th scope="row">{value === null ? t("value.none") : nameOf(value)}</th>
              <td>{formatValue(count, "count")}</td>
              <td>{formatShare(share)}</td>
              {isCompared && (
                <td>
                  <span aria-hidden="true">{change.text} {change.arrow}</span>
                  <span class="only-read">{change.words}</span>
                </td>
              )}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
