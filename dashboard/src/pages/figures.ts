/** The figures of a campaign and of a workspace as queries: NLPearl's and Nexus', in the view's period and zone. */
import type { Condition, QueryAnswer, QueryBody, Value } from "../api/types";
import { bucketOf } from "../state/periods";
import { breakdownQuery, dimensionIn, EVENTS, measureIn, TOP } from "../state/queries";
import type { View } from "../state/view";

/** The time lines of a campaign, each with its unit and the prefix of its name among the texts. */
export const LINES = [
  ["calls", "count", "tile"],
  ["distinct_leads", "count", "campaign.line"],
  ["answer_rate", "percent", "tile"],
  ["success_rate", "percent", "tile"],
  ["avg_duration", "seconds", "tile"],
  ["cost", "money", "tile"],
  // An average of money is a line like other averages, with a digit more than sums of money have.
  ["cost_per_call", "score", "campaign.line"],
] as const;

/** The kinds of contact events that have a time line. */
export const CONTACTS = ["booking", "room_join"] as const;
export type ContactKind = (typeof CONTACTS)[number];

/** Every time line of a campaign, and in the totals its events; `view` has the campaign among its filters. */
export function linesQuery(view: View, now: Date): QueryBody {
  const measures = [...LINES.map(([measure]) => measure), ...EVENTS.map((name) => `event.${name}`)];
  return { ...breakdownQuery(view, [bucketOf(view.period, view.zone, now)]), measures };
}

/** Events of one kind per bucket of time in a workspace. */
export function contactsQuery(view: View, workspace: string, kind: ContactKind, now: Date): QueryBody {
  const bucket = bucketOf(view.period, view.zone, now);
  return workspaceQuery(view, bucket, [is("workspace_id", workspace), is("event_type", kind)]);
}

/** Events by their kind in a workspace. */
export function kindsQuery(view: View, workspace: string): QueryBody {
  return workspaceQuery(view, "event_type", [is("workspace_id", workspace)]);
}

/** The ten rooms most joined or pages most booked, or all where the view shows all. */
export function topQuery(view: View, workspace: string, dimension: "room_id" | "booking_page_id"): QueryBody {
  const kind: ContactKind = dimension === "room_id" ? "room_join" : "booking";
  const filters = [is("workspace_id", workspace), is("event_type", kind), { field: dimension, op: "not_null" } as const];
  const body = workspaceQuery(view, dimension, filters);
  return view.all === dimension ? body : { ...body, limit: TOP };
}

/** One row of a table of figures. */
export interface Ranked {
  value: Value | null;
  count: number;
  /** Of all events, 0 to 1. */
  share: number;
  previous: number | null;
}

/** The rows of an answer with one dimension and one measure, in its order; rows of the comparison alone last. */
export function rankedOf(answer: QueryAnswer, dimension: string, measure: string): Ranked[] {
  const total = answer.totals[measure] ?? 0;
  return answer.rows.map((row) => {
    const count = measureIn(row, measure) ?? 0;
    return {
      value: dimensionIn(row, dimension),
      count,
      share: total === 0 ? 0 : count / total,
      previous: row.previous?.[measure] ?? null,
    };
  });
}

function workspaceQuery(view: View, dimension: string, filters: Condition[]): QueryBody {
  // Filters of the view name fields of calls, which contact events do not have.
  const body = breakdownQuery({ ...view, filters: [] }, [dimension]);
  return { ...body, dataset: "contact_events", measures: ["events"], filters };
}

function is(field: string, value: string): Condition {
  return { field, op: "eq", value };
}
