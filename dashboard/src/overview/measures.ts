import type { Answer } from "../api/client";
import type { Measured, QueryAnswer } from "../api/types";
import type { Unit } from "../format/numbers";
import { fieldName } from "../state/names";
import { bucketOf } from "../state/periods";
import { callOnlyFields, leadPointsOf, pointsOf, type Point } from "../state/queries";
import type { ResourceState } from "../state/resource";
import type { Measure, View } from "../state/view";

export const UNITS: Record<Measure, Unit> = {
  calls: "count",
  answer_rate: "percent",
  success_rate: "percent",
  avg_duration: "seconds",
  p90_duration: "seconds",
  cost: "money",
  leads: "count",
  transferred: "count",
};

/** One measure over the period: what a tile and the main chart show. */
export interface Series {
  total: Measured;
  previous: Measured | undefined;
  points: Point[];
}

/**
 * The series of a measure, in the state of the answers that it needs. That of leads needs the calls' buckets too:
 * until both answers are of the same period, there is none.
 */
export function seriesState(
  view: View, measure: Measure, calls: ResourceState<Answer<QueryAnswer>>, leads: ResourceState<Answer<QueryAnswer>>,
): ResourceState<Series> {
  const needed = measure === "leads" ? [calls, leads] : [calls];
  const isAny = (status: string) => needed.some((one) => one.status === status);
  const data = seriesOf(view, measure, calls.data?.body ?? null, leads.data?.body ?? null);
  return {
    status: isAny("failed") ? "failed" : isAny("loading") ? "loading" : "ready",
    data,
    error: needed.find(({ error }) => error !== null)?.error ?? null,
    stale: data !== null && needed.some(({ stale }) => stale),
  };
}

function seriesOf(view: View, measure: Measure, calls: QueryAnswer | null, leads: QueryAnswer | null): Series | null {
  if (calls === null) return null;
  const bucket = bucketIn(calls) ?? bucketOf(view.period, view.zone, new Date());
  if (measure !== "leads") {
    return {
      total: calls.totals[measure] ?? null,
      previous: calls.previous_totals?.[measure],
      points: pointsOf(calls, bucket, measure),
    };
  }
  if (leads === null || JSON.stringify(leads.period) !== JSON.stringify(calls.period)) return null;
  return {
    total: leads.totals["leads"] ?? null,
    previous: leads.previous_totals?.["leads"],
    points: leadPointsOf(leads, bucket, pointsOf(calls, bucket, "calls")),
  };
}

/** The bucket that an answer has: while the next one loads, the view has another one already. */
export function bucketIn(answer: QueryAnswer): "hour" | "day" | "week" | "month" | null {
  const [row] = answer.rows;
  return (["hour", "day", "week", "month"] as const).find((name) => row !== undefined && name in row) ?? null;
}

/** The names of the fields by which leads cannot be filtered; empty: leads can be shown. */
export function leadsObstacle(view: View): string {
  return callOnlyFields(view.filters).map(fieldName).join(", ");
}
