import type { Signal } from "@preact/signals";
import type { Api } from "../api/client";
import type { NamedValue, QueryAnswer, Value } from "../api/types";
import { formatShare } from "../charts/summary";
import { TimeChart } from "../charts/time_chart";
import { changeOf } from "../format/change";
import { formatValue } from "../format/numbers";
import { bucketOf, bucketPeriod } from "../state/periods";
import { pointsOf } from "../state/queries";
import { useResource } from "../state/resource";
import { navigate, type View } from "../state/view";
import { named, t } from "../text/index";
import { CONTACTS, contactsQuery, kindsQuery, rankedOf, topQuery, type ContactKind, type Ranked } from "./figures";
import { Loaded } from "./loaded";
import { nameIn, useValues } from "./names";
import { PageHead } from "./page_head";
import { onPage } from "./scope";

export interface WorkspacePageProps {
  id: string;
  view: Signal<View>;
  api: Api;
}

/** Nexus' figures of one workspace, for the view's period and zone; filters of calls do not apply to it. */
export function WorkspacePage({ id, view, api }: WorkspacePageProps) {
  const workspaces = useValues(api, "workspace_id", "contact_events");
  return (
    <div class="sheet">
      <PageHead kind="workspace" id={id} name={nameIn(workspaces, id)} view={view} api={api} />
      {view.value.filters.length > 0 && <p class="sheet-note">{t("workspace.filters")}</p>}
      {CONTACTS.map((kind) => <ContactLine key={kind} kind={kind} view={view} api={api} />)}
      <Kinds view={view} api={api} />
      <Top dimension="room_id" view={view} api={api} />
      <Top dimension="booking_page_id" view={view} api={api} />
    </div>
  );
}

type Part = Omit<WorkspacePageProps, "id">;

function ContactLine({ kind, view, api }: Part & { kind: ContactKind }) {
  const events = useResource(
    () => onPage(view.value, "workspace", (shown, id) => contactsQuery(shown, id, kind, new Date())), api.query,
  );
  const title = named("workspace.kind", kind);
  const bucket = bucketOf(view.value.period, view.value.zone, new Date());
  return (
    <Loaded title={title} resource={events}>
      {(answer) => (
        <div class="sheet-card">
          <TimeChart
            title={title}
            unit="count"
            bucket={bucket}
            points={pointsOf(answer, bucket, "events")}
            compared={answer.previous_totals !== undefined}
            total={answer.totals["events"] ?? null}
            previousTotal={answer.previous_totals?.["events"] ?? null}
            onPick={(label) => navigate({ period: bucketPeriod(label, bucket) })}
          />
        </div>
      )}
    </Loaded>
  );
}

function Kinds({ view, api }: Part) {
  const kinds = useResource(() => onPage(view.value, "workspace", kindsQuery), api.query);
  return (
    <Loaded title={t("workspace.kinds")} resource={kinds}>
      {(answer) => (
        <RankedTable
          title={t("workspace.kinds")}
          rows={rankedOf(answer, "event_type", "events")}
          nameOf={(value) => named("workspace.kind", String(value))}
          total={null}
          isCompared={answer.previous_totals !== undefined}
        />
      )}
    </Loaded>
  );
}

function Top({ dimension, view, api }: Part & { dimension: "room_id" | "booking_page_id" }) {
  const values: NamedValue[] | null = useValues(api, dimension, "contact_events");
  const top = useResource(
    () => onPage(view.value, "workspace", (shown, id) => topQuery(shown, id, dimension)), api.query,
  );
  const title = named("workspace.top", dimension);
  const rowsOf = (answer: QueryAnswer) => rankedOf(answer, dimension, "events").filter(({ count }) => count > 0);
  return (
    <Loaded title={title} resource={top}>
      {(answer) => (
        <RankedTable
          title={title}
          rows={rowsOf(answer)}
          nameOf={(value) => nameIn(values, value)}
          total={answer.total_rows}
          isCompared={answer.previous_totals !== undefined}
        />
      )}
    </Loaded>
  );
}

interface RankedTableProps {
  title: string;
  rows: Ranked[];
  nameOf(value: Value): string;
  /** How many rows there are in all, where only the first are shown. */
  total: number | null;
  isCompared: boolean;
}

/** A table whose rows lead nowhere, since events of contacts are no calls that the drawer could list. */
function RankedTable({ title, rows, nameOf, total, isCompared }: RankedTableProps) {
  return (
    <section class="sheet-card">
      <table class="sheet-table">
        <caption>
          {title}
          {total !== null && total > rows.length && <span>{t("workspace.of", { shown: rows.length, count: total })}</span>}
        </caption>
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
                  <td class={`sheet-${change.direction}`}>
                    <span aria-hidden="true">{change.text} {change.arrow}</span>
                    <span class="only-read">{change.words}</span>
                  </td>
                )}
              </tr>
            );
          })}
        </tbody>
      </table>
      {rows.length === 0 && <p class="sheet-none">{t("chart.none")}</p>}
    </section>
  );
}
