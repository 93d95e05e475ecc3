/** Which fields of a call are shown, in which order and unit, and which filter a click on a value adds. */

import type { Value } from "../api/types";
import type { Filter } from "../state/filters";

/** How a value is written: an instant in the view's zone, a number with its unit, or by its name, if it has one. */
export type Kind = "instant" | "minute" | "seconds" | "milliseconds" | "score" | "band" | "money" | "name";

export interface ShownValue {
  value: Value;
  /** What a click on the value adds to the view's filters; null where a filter would be of no use. */
  filter: Filter | null;
}

export interface ShownField {
  key: string;
  kind: Kind;
  values: ShownValue[];
}

export type SectionId = "call" | "measures" | "belongs" | "record";

export interface Section {
  id: SectionId;
  fields: ShownField[];
}

type CallRecord = Readonly<Record<string, unknown>>;

/** Kind of each field, and the filter field of its values, if other than none. */
const SECTIONS: Record<SectionId, [key: string, kind: Kind, filter: string | null][]> = {
  call: [
    ["started_at", "instant", null],
    ["direction", "name", "direction"],
    ["status", "name", "status"],
    ["disposition", "name", "disposition"],
    ["outcome", "name", "outcome"],
    ["ended_reason", "name", "ended_reason"],
    ["answered", "name", "answered"],
    ["attempt", "name", "attempt"],
    ["language", "name", "language"],
    ["labels", "name", "label"],
  ],
  measures: [
    ["duration_seconds", "seconds", null],
    ["latency_ms", "milliseconds", null],
    ["sentiment", "band", "sentiment_band"],
    ["cost", "money", null],
  ],
  belongs: [
    ["campaign_id", "name", "campaign_id"],
    ["space_token", "name", "space_token"],
    ["template_id", "name", "template_id"],
    ["merchant_id", "name", "merchant_id"],
    ["reseller_id", "name", "reseller_id"],
    ["lead_id", "name", "lead_id"],
    ["provider", "name", "provider"],
  ],
  record: [
    ["id", "name", null],
    ["updated_at", "instant", null],
  ],
};

/** Shown by parts of their own, or no field of a call. */
const ELSEWHERE = new Set(["type", "events", "payload", "detail"]);

/** Fields whose values are ids: numbers and texts are one id, and filters take its text. */
const IDS = new Set([
  "labels",
  "campaign_id",
  "space_token",
  "template_id",
  "merchant_id",
  "reseller_id",
  "lead_id",
]);

/** The fields that the record has, by section; a field that this page does not know comes last, as it is. */
export function sectionsOf(record: CallRecord): Section[] {
  const known = new Set(ELSEWHERE);
  const sections = (Object.keys(SECTIONS) as SectionId[]).map((id) => {
    const fields = SECTIONS[id].map(([key, kind, field]) => {
      known.add(key);
      const values = scalarsOf(record[key]).map((value) => ({ value, filter: filterOf(field, key, value) }));
      return { key, kind, values };
    });
    return { id, fields };
  });
  for (const [key, value] of Object.entries(record)) {
    if (known.has(key)) continue;
    const values = scalarsOf(value).map((one) => ({ value: one, filter: null }));
    sections.at(-1)?.fields.push({ key, kind: "name", values });
  }
  return sections
    .map((section) => ({ ...section, fields: section.fields.filter((field) => field.values.length > 0) }))
    .filter((section) => section.fields.length > 0);
}

/** The events that happened, in the order of the record, with the filter for calls where they did too. */
export function eventsOf(record: CallRecord): { name: string; count: number; filter: Filter }[] {
  return Object.entries(objectOf(record.events)).flatMap(([name, count]) =>
    typeof count === "number" && count > 0
      ? [{ name, count, filter: { field: `event.${name}`, op: "gt", values: [0] } }]
      : [],
  );
}

/** Every key of the payload with its value; null has no filter, since a payload null is no value. */
export function payloadOf(record: CallRecord): { key: string; value: Value | null; filter: Filter | null }[] {
  return Object.entries(objectOf(record.payload)).map(([key, value]) => {
    const scalar = scalarsOf(value)[0] ?? null;
    const filter: Filter | null = scalar === null ? null : { field: `payload.${key}`, op: "eq", values: [scalar] };
    return { key, value: scalar, filter };
  });
}

const BANDS = ["negative", "slightly_negative", "neutral", "slightly_positive", "positive"] as const;
export type SentimentBand = (typeof BANDS)[number];

/** The band of a sentiment from 0 to 1; the upper bound belongs to the next band, except the last's. */
export function bandOf(sentiment: number): SentimentBand {
  // Thousandths are what is stored, and whole numbers divide without the error of 0.6 / 0.2.
  return BANDS[Math.min(4, Math.floor(Math.round(sentiment * 1000) / 200))]!;
}

function filterOf(field: string | null, key: string, value: Value): Filter | null {
  if (field === null) return null;
  if (field === "sentiment_band") return { field, op: "eq", values: [bandOf(Number(value))] };
  return { field, op: "eq", values: [IDS.has(key) ? String(value) : value] };
}

function scalarsOf(value: unknown): Value[] {
  const list = Array.isArray(value) ? value : [value];
  return list.filter((one): one is Value => ["string", "number", "boolean"].includes(typeof one));
}

function objectOf(value: unknown): Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
