// The queries of the overview: from a view to the bodies of `POST /v1/query`, and from rows to entries.

import type { QueryAnswer, QueryBody, Row, Scope, Value } from "../api/types";
import { toConditions, type Filter } from "./filters";
import { bucketOf, toRange } from "./periods";
import { CARDS, type View } from "./view";

export const EVENTS = ["take_message", "sms_sent", "call_transferred", "calendar_booked", "email_sent"] as const;

/** The marks of the distribution, in ascending order. */
export const MARKS = ["min", "p50", "p75", "p90", "p95", "p99", "max"] as const;

/** Above so many calls, each card asks for itself, so that no answer has too many rows. */
export const TOGETHER_MAX_CALLS = 20_000;
const MAX_ROWS = 10_000;
/** How many values a list shows, until all are wanted. */
export const TOP = 10;

const CALL_MEASURES = ["calls", "answer_rate", "success_rate", "avg_duration", "cost", "transferred"];

/** The part of a body that period, zone and filters decide: as the query and the search take it. */
export function scopeOf(view: View): Scope {
  return { ...toRange(view.period, view.zone), ...filtersOf(view.filters) };
}

/** Calls per bucket of time, with every measure of the tiles, the distribution and the events. */
export function overviewQuery(view: View, now: Date): QueryBody {
  return {
    measures: [...CALL_MEASURES, ...MARKS.map((mark) => `${mark}_duration`), ...EVENTS.map((name) => `event.${name}`)],
    dimensions: [bucketOf(view.period, view.zone, now)],
    ...scopeOf(view),
    ...comparison(view),
    limit: MAX_ROWS,
  };
}

/** Leads per the same bucket and status; null while a filter names a field that only calls have. */
export function leadsQuery(view: View, now: Date): QueryBody | null {
  if (callOnlyFields(view.filters).length > 0) return null;
  return {
    dataset: "leads",
    measures: ["leads", "converted", "conversion_rate"],
    dimensions: [bucketOf(view.period, view.zone, now), "status"],
    ...scopeOf(view),
    ...comparison(view),
    limit: MAX_ROWS,
  };
}

/** The fields of the filters that leads do not have; a lead's `status` is another one than a call's. */
export function callOnlyFields(filters: Filter[]): string[] {
  const shared = ["hour_of_day", "day_of_week", "template_id", "merchant_id", "reseller_id"];
  const fields = filters.map(({ field }) => field);
  return [...new Set(fields.filter((field) => !shared.includes(field) && !field.startsWith("payload.")))];
}

export function hoursQuery(view: View): QueryBody {
  return { measures: ["calls"], dimensions: ["hour_of_day", "day_of_week"], ...scopeOf(view), limit: 7 * 24 };
}

/** The dimensions of the open tabs that one query answers together: as many as a query can have. */
export function sharedDimensions(view: View): string[] {
  return CARDS.filter((card) => card !== "mark").map((card) => view.tabs[card]);
}

/** Calls by every combination of some dimensions; for one of them, `entriesOf` sums them up. */
export function breakdownQuery(view: View, dimensions: string[]): QueryBody {
  return { measures: ["calls"], dimensions, ...scopeOf(view), ...comparison(view), limit: MAX_ROWS };
}

/** One value of a dimension, null for calls without one. */
export interface Entry {
  value: Value | null;
  calls: number;
  previous: number | null;
}

/** Calls per value of a dimension, most first; rows of several dimensions are summed up. */
export function entriesOf(answer: QueryAnswer, dimension: string): Entry[] {
  const entries = new Map<string, Entry>();
  for (const row of answer.rows) {
    const value = dimensionIn(row, dimension);
    const key = JSON.stringify(value);
    const entry = entries.get(key) ?? { value, calls: 0, previous: answer.previous_totals === undefined ? null : 0 };
    entry.calls += measureIn(row, "calls") ?? 0;
    if (entry.previous !== null) entry.previous += row.previous?.["calls"] ?? 0;
    entries.set(key, entry);
  }
  return [...entries.values()].sort((one, other) => other.calls - one.calls);
}

/** How often each event happened, by the totals of the overview's query. */
export function eventEntries(answer: QueryAnswer): Entry[] {
  return EVENTS.map((value) => ({
    value,
    calls: answer.totals[`event.${value}`] ?? 0,
    previous: answer.previous_totals?.[`event.${value}`] ?? null,
  })).sort((one, other) => other.calls - one.calls);
}

/** Whether an answer has all of its rows. */
export const isWhole = (answer: QueryAnswer): boolean => answer.next === null;

export function measureIn(row: Row, name: string): number | null {
  const value = row[name];
  return typeof value === "number" ? value : null;
}

export function dimensionIn(row: Row, name: string): Value | null {
  const value = row[name];
  return value === undefined || typeof value === "object" ? null : value;
}

/** A point of the main chart or of a tile's line. */
export interface Point {
  label: string;
  value: number | null;
  previous?: number | null;
  complete: boolean;
}

/** The points of one measure; buckets that have not begun have no value. */
export function pointsOf(answer: QueryAnswer, bucket: string, measure: string): Point[] {
  let isFuture = false;
  return answer.rows.map((row) => {
    const complete = row.complete !== false;
    const point: Point = {
      label: String(row[bucket]),
      value: isFuture ? null : measureIn(row, measure),
      complete,
      ...(row.previous === undefined ? {} : { previous: row.previous[measure] ?? null }),
    };
    isFuture ||= !complete;
    return point;
  });
}


/** The points of the number of leads, in the buckets of the calls' points. */
export function leadPointsOf(leads: QueryAnswer, bucket: string, frame: Point[]): Point[] {
  const sums = new Map<string, { now: number; before: number }>();
  for (const row of leads.rows) {
    const label = String(row[bucket]);
    const sum = sums.get(label) ?? { now: 0, before: 0 };
    sum.now += measureIn(row, "leads") ?? 0;
    sum.before += row.previous?.["leads"] ?? 0;
    sums.set(label, sum);
  }
  return frame.map(({ label, value, previous, complete }) => ({
    label,
    value: value === null ? null : (sums.get(label)?.now ?? 0),
    complete,
    ...(previous === undefined ? {} : { previous: sums.get(label)?.before ?? 0 }),
  }));
}

export const STAGES = ["BACKLOG", "PROCESSING", "FINISHED", "CONVERTED"] as const;

/** How many leads have reached each stage, as in Breeze's `conversion_funnel`. */
export function stagesOf(leads: QueryAnswer): { key: (typeof STAGES)[number]; value: number }[] {
  const having = (...statuses: string[]) => leads.rows
    .filter((row) => statuses.includes(String(row["status"])))
    .reduce((sum, row) => sum + (measureIn(row, "leads") ?? 0), 0);
  return [
    { key: "BACKLOG", value: leads.totals["leads"] ?? 0 },
    { key: "PROCESSING", value: having("PROCESSING", "RETRY", "FINISHED") },
    { key: "FINISHED", value: having("FINISHED") },
    { key: "CONVERTED", value: leads.totals["converted"] ?? 0 },
  ];
}

function comparison(view: View): Pick<QueryBody, "compare"> {
  return view.compare === "off" ? {} : { compare: view.compare };
}

function filtersOf(filters: Filter[]): Pick<QueryBody, "filters"> {
  return filters.length === 0 ? {} : { filters: toConditions(filters) };
}
