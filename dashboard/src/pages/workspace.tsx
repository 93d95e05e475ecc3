import type { Signal } from "@preact/signals";
import type { Answer, Api } from "../api/client";
import type { QueryAnswer, QueryBody, Value } from "../api/types";
import { formatShare } from "../charts/summary";
import { CsvButton } from "../controls/csv_button";
import { changeOf } from "../format/change";
import { formatValue } from "../format/numbers";
import { MOST_ROWS } from "../overview/entry_table";
import { Loaded } from "../overview/loaded";
import { Forbidden, isForbidden } from "../overview/notices";
import { isWhole, TOP } from "../state/queries";
import { useResource, type Resource } from "../state/resource";
import { navigate, view, type RankingId, type View } from "../state/view";
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
  const ask = (make: (shown: View, workspace: string) => QueryBody) => () => onPage(view.value, "workspace", make);
  const part = (body: () => QueryBody | null) => ({ body, figures: useResource(body, api.query) });
  const kinds = part(ask(kindsQuery));
  const bookings = part(ask((shown, workspace) => contactsQuery(shown, workspace, "booking", new Date())));
  const joins = part(ask((shown, workspace) => contactsQuery(shown, workspace, "room_join", new Date())));
  const rooms = part(ask((shown, workspace) => topQuery(shown, workspace, "room_id")));
  const pages = part(ask((shown, workspace) => topQuery(shown, workspace, "booking_page_id")));
  const source = useLive(kinds.figures, [bookings, joins, rooms, pages].map(({ figures }) => figures));
  const roomNames = useValues(api, "room_id", "contact_events");
  const pageNames = useValues(api, "booking_page_id", "contact_events");
  if (isForbidden(kinds.figures.state.value.error)) return <Forbidden />;
  return (
    <>
      <PageHead kind="workspace" id={id} view={view} api={api} source={source} />
      {view.value.filters.length > 0 && <p class="sheet-note">{t("workspace.filters")}</p>}
      <div class="cards">
        <ContactLine kind="booking" {...bookings} />
        <ContactLine kind="room_join" {...joins} />
      </div>
      <div class="cards sheet-tables">
        <Ranking list="room_id" {...rooms} nameOf={(value) => nameIn(roomNames, value)} />
        <Ranking list="booking_page_id" {...pages} nameOf={(value) => nameIn(pageNames, value)} />
        <Ranking list="event_type" {...kinds} nameOf={kindName} />
      </div>
    </>
  );
}

/** The name of a kind of events; kinds of the organisation's own stay as they were sent. */
function kindName(kind: Value): string {
  return CONTACTS.some((known) => known === kind) ? named("workspace.kind", String(kind)) : String(kind);
}

interface Part {
  /** What was asked; null while the view is of another page. */
  body(): QueryBody | null;
  figures: Resource<Answer<QueryAnswer>>;
}

function ContactLine({ kind, body, figures }: Part & { kind: ContactKind }) {
  const title = named("workspace.kind", kind);
  const wanted = body();
  return (
    <section class="card">
      <Loaded title={title} {...partOf(figures)} size="size-main">
        {(answer) => wanted !== null && (
          <TimeLine figure={kind} title={title} unit="count" measure="events" answer={answer.body} body={wanted} />
        )}
      </Loaded>
    </section>
  );
}

interface RankingProps extends Part {
  /** What is ranked, which is also its name in the address. */
  list: RankingId;
  nameOf(value: Value): string;
}

/** The ten values with the most events, or all of them. */
function Ranking({ list, body, figures, nameOf }: RankingProps) {
  const title = named("workspace.by", list);
  const wanted = body();
  const isAll = view.value.all === list;
  return (
    <section class={isAll ? "card is-all" : "card"}>
      <Loaded title={title} {...partOf(figures)} size="size-small">
        {({ body: answer }) => {
          const rows = rankedOf(answer, list, "events");
          const shown = rows.slice(0, isAll ? MOST_ROWS : TOP);
          return (
            <>
              <div class="chart-head">
                <h3 class="chart-title">{title}</h3>
                <div class="chart-tools">
                  {(isAll || answer.total_rows > TOP) && (
                    <button type="button" class="chart-button" aria-expanded={isAll} onClick={() => navigate({ all: isAll ? null : list })}>
                      {isAll ? t("card.top") : t("card.all", { count: answer.total_rows })}
                    </button>
                  )}
                  {wanted !== null && <CsvButton title={title} body={{ ...wanted, limit: ALL }} />}
                </div>
              </div>
              <RankedTable title={title} rows={shown} nameOf={nameOf} isCompared={answer.previous_totals !== undefined} />
              {isAll && rows.length > shown.length && <p class="card-note">{t("card.capped", { count: MOST_ROWS })}</p>}
              {isAll && !isWhole(answer) && <p class="card-note">{t("card.incomplete", { count: answer.rows.length })}</p>}
            </>
          );
        }}
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
