// Periods in local days of a time zone. A local day is a text, "2026-11-01"; its arithmetic is that of the
// calendar, so that no change of clocks can move it.

import type { Range } from "../api/types";

export const NAMED = [
  "today", "yesterday", "last_7_days", "last_28_days", "last_90_days", "this_month", "last_month",
] as const;
export type NamedPeriod = (typeof NAMED)[number];

/** Both ends inclusive: local days, or local times with or without an offset. */
export interface CustomPeriod {
  from: string;
  to: string;
}

export type Period = NamedPeriod | CustomPeriod;
export type Bucket = "hour" | "day" | "week" | "month";

const DAY_MS = 86_400_000;

/** The part of a query's body that names the period. */
export function toRange(period: Period, timezone: string): Range {
  return typeof period === "string" ? { period, timezone } : { from: period.from, to: period.to, timezone };
}

/** The local day of an instant. */
export function localDay(zone: string, now: Date): string {
  return localTime(zone, now).slice(0, 10);
}

/** The local time of an instant, to the second: "2026-11-01T13:00:00". */
function localTime(zone: string, instant: Date): string {
  const parts = new Intl.DateTimeFormat("en-CA-u-ca-iso8601", {
    timeZone: zone, hourCycle: "h23",
    year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  }).formatToParts(instant);
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? "";
  return `${part("year")}-${part("month")}-${part("day")}T${part("hour")}:${part("minute")}:${part("second")}`;
}

/** A bound as it is local to a zone: one with an offset names an instant, others are local already. */
export function toLocal(bound: string, zone: string): string {
  return hasOffset(bound) ? localTime(zone, new Date(bound)) : bound;
}

export function addDays(day: string, days: number): string {
  return new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);
}

/** The local days from the first to the last of a period. */
export function toDays(period: Period, zone: string, now: Date): CustomPeriod {
  if (typeof period !== "string") {
    return { from: toLocal(period.from, zone).slice(0, 10), to: toLocal(period.to, zone).slice(0, 10) };
  }
  const today = localDay(zone, now);
  const first = `${today.slice(0, 8)}01`;
  switch (period) {
    case "today": return { from: today, to: today };
    case "yesterday": return { from: addDays(today, -1), to: addDays(today, -1) };
    case "last_7_days": return { from: addDays(today, -6), to: today };
    case "last_28_days": return { from: addDays(today, -27), to: today };
    case "last_90_days": return { from: addDays(today, -89), to: today };
    case "this_month": return { from: first, to: lastOfMonth(first) };
    case "last_month": return { from: `${addDays(first, -1).slice(0, 8)}01`, to: addDays(first, -1) };
  }
}

/** The bounds of a period for requests that take no name of one: those of a custom period as they are. */
export function boundsOf(period: Period, zone: string, now: Date): CustomPeriod {
  return typeof period === "string" ? toDays(period, zone, now) : period;
}

/** How many local days a period touches. */
export function lengthInDays(period: Period, zone: string, now: Date): number {
  const { from, to } = toDays(period, zone, now);
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS) + 1;
}

/** The bucket that shows a period in 24 to 100 points, or as near to that as it gets. */
export function bucketOf(period: Period, zone: string, now: Date): Bucket {
  const days = lengthInDays(period, zone, now);
  return days <= 2 ? "hour" : days <= 100 ? "day" : days <= 750 ? "week" : "month";
}

/** The period that one bucket covers, by its label. */
export function bucketPeriod(label: string, bucket: Bucket): CustomPeriod {
  switch (bucket) {
    case "hour": return { from: label, to: `${label.slice(0, 14)}59:59${label.slice(19)}` };
    case "day": return { from: label, to: label };
    case "week": return { from: label, to: addDays(label, 6) };
    case "month": return { from: label, to: lastOfMonth(label) };
  }
}

/** The part of a period that one of its buckets covers: the first and the last may stand out of it. */
export function narrowTo(label: string, bucket: Bucket, period: Period, zone: string, now: Date): CustomPeriod {
  const chosen = bucketPeriod(label, bucket);
  const { from, to } = boundsOf(period, zone, now);
  return {
    from: isBefore(chosen.from, from, zone, "T00:00:00") ? from : chosen.from,
    to: isBefore(to, chosen.to, zone, "T23:59:59") ? to : chosen.to,
  };
}

/** Whether a bound is before another one; `edge` is the time that a day stands for. */
function isBefore(one: string, other: string, zone: string, edge: string): boolean {
  // Only instants tell the two hours apart that have the same local time when the clocks go back.
  if (hasOffset(one) && hasOffset(other)) return Date.parse(one) < Date.parse(other);
  const local = (bound: string) => `${toLocal(bound, zone)}${bound.length > 10 ? "" : edge}`.slice(0, 19);
  return local(one) < local(other);
}

const hasOffset = (bound: string): boolean => /T.*(Z|[+-]\d\d:\d\d)$/.test(bound);

/** Whether a text is a local day or a local time that a custom period can have. */
export function isBound(text: string): boolean {
  return /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,3})?(Z|[+-]\d\d:\d\d)?)?$/.test(text) && !Number.isNaN(Date.parse(text));
}

export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function lastOfMonth(day: string): string {
  const next = addDays(`${day.slice(0, 8)}01`, 31);
  return addDays(`${next.slice(0, 8)}01`, -1);
}
