// Names of what filters and cards show: fields, operators, values. Names of campaigns, spaces and labels are
// those of the organisation's records, by `GET /v1/values`.

import { signal } from "@preact/signals";
import { api } from "../api/client";
import type { NamedValue, Value } from "../api/types";
import { hourName, hourTick, weekdayName } from "../format/dates";
import { decimal } from "../format/decimal";
import { language, named, t } from "../text/index";
import { takesNothing, wordOf, type Filter } from "./filters";
import { addDays, localDay, toDays } from "./periods";
import { session } from "./session";
import type { View } from "./view";

/** Dimensions whose values can have a name in a record of their own. */
const WITH_NAMES: ReadonlySet<string> = new Set(["campaign_id", "space_token", "label"]);
const MOST_VALUES = 200;
/** The range of values where none is given: a comparison shows values that the period does not have. */
const USUAL_DAYS = 90;

const known = signal<ReadonlyMap<string, string>>(new Map());
/** What the present session has asked for; another one has another set. */
let asked = new Set<string>();

/** Load the names of a dimension's values about the view's period, once; until then values have their ids. */
export function wantNames(dimension: string, view: View): void {
  if (!WITH_NAMES.has(dimension)) return;
  const days = toDays(view.period, view.zone, new Date());
  const isLate = days.from >= addDays(localDay(view.zone, new Date()), 1 - USUAL_DAYS);
  const range = isLate ? {} : { ...days, timezone: view.zone };
  const key = JSON.stringify([dimension, range]);
  if (asked.has(key)) return;
  const mine = asked.add(key);
  api.values(dimension, { ...range, limit: MOST_VALUES }).then(
    ({ body }) => mine === asked && keepNames(dimension, body.values),
    // An id is a name too; the next view asks again.
    () => mine.delete(key),
  );
}

export function keepNames(dimension: string, values: NamedValue[]): void {
  const more = values.flatMap(({ value, name }): [string, string][] => (name === null ? [] : [[nameKey(dimension, value), name]]));
  if (more.some(([key, name]) => known.peek().get(key) !== name)) known.value = new Map([...known.peek(), ...more]);
}

/** Also those that are still on their way. */
export function forgetNames(): void {
  asked = new Set();
  known.value = new Map();
}

// The next session may be another organisation's.
session.subscribe(forgetNames);

export function fieldName(field: string): string {
  return field.startsWith("payload.") ? t("field.payload_key", { key: field.slice("payload.".length) }) : named("field", field);
}

/** The name of a value; null is "without a value". */
export function valueName(field: string, value: Value | null): string {
  if (value === null) return t("value.none");
  if (typeof value === "boolean") return t(value ? "filter.yes" : "filter.no");
  if (typeof value === "number") return numberName(field, value);
  switch (field) {
    case "status":
    case "disposition":
    case "direction":
    case "sentiment_band":
      return named(`value.${field}`, value);
    case "event":
      return named("field.event", value);
    case "language":
      return languageName(value);
    default:
      return known.value.get(nameKey(field, value)) ?? value;
  }
}

/** A filter in words: "Outcome is no show or sold". */
export function filterName(filter: Filter): string {
  const [field, op] = [fieldName(filter.field), named("op", wordOf(filter.op))];
  if (takesNothing(filter.op)) return `${field} ${op}`;
  if (filter.field === "hour_of_day" && filter.op === "between") return `${field} ${t("op.is")} ${hourSpan(filter.values)}`;
  const names = filter.values.map((value) => valueName(filter.field, value));
  return `${field} ${op} ${listed(names, filter.op === "between")}`;
}

/** "12–18": the end of the last hour, because the filter has all of it. */
function hourSpan([first, last]: Value[]): string {
  return `${hourTick(Number(first))}–${hourTick(Number(last) + 1)}`;
}

function listed(names: string[], isRange: boolean): string {
  if (isRange) return t("filter.and", { first: names[0] ?? "", last: names[1] ?? "" });
  if (names.length > 3) return t("filter.more", { first: names.slice(0, 2).join(", "), count: names.length - 2 });
  return new Intl.ListFormat(language, { type: "disjunction" }).format(names);
}

function numberName(field: string, value: number): string {
  if (field === "hour_of_day") return hourName(value);
  if (field === "day_of_week") return weekdayName(value, "long");
  return decimal(value, { maximumFractionDigits: 6 });
}

const languages = new Intl.DisplayNames(language, { type: "language" });

/** The name of a language by its tag; the field is a text, so it may be anything else. */
function languageName(tag: string): string {
  try {
    return languages.of(tag) ?? tag;
  } catch (error) {
    if (error instanceof RangeError) return tag;
    throw error;
  }
}

const nameKey = (dimension: string, value: Value): string => `${dimension}:${value}`;
