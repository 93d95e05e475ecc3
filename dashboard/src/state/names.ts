// Names of what filters and cards show: fields, operators, values. Names of campaigns, spaces and labels are
// those of the organisation's records, by `GET /v1/values`.

import { signal } from "@preact/signals";
import { api, ApiError, type Api } from "../api/client";
import type { NamedValue, Value } from "../api/types";
import { hourName, hourTick, weekdayName } from "../format/dates";
import { decimal } from "../format/decimal";
import { language, named, t } from "../text/index";
import { takesNothing, wordOf, type Filter } from "./filters";
import { addDays, localDay, toDays } from "./periods";
import { session } from "./session";
import type { View } from "./view";

/** The dimensions whose values can have a name, and the type of the records that give it. */
const RECORDS: Readonly<Record<string, string>> = { campaign_id: "campaign", space_token: "space", label: "label" };
const MOST_VALUES = 200;
/** As many values of a filter as its words have. */
const MOST_NAMED = 3;
/** The range of values where none is given: a comparison shows values that the period does not have. */
const USUAL_DAYS = 90;

const known = signal<ReadonlyMap<string, string>>(new Map());
/** What the present session has asked for; another one has another map. */
let asked = new Map<string, Promise<NamedValue[]>>();

/**
 * Load the names of a dimension's values about the view's period, once; until then values have their ids. Those of
 * `values` that are not among the most frequent are named by their own records.
 */
export function wantNames(dimension: string, view: View, values: Value[] = []): void {
  const type = RECORDS[dimension];
  if (type === undefined) return;
  const days = toDays(view.period, view.zone, new Date());
  const isLate = days.from >= addDays(localDay(view.zone, new Date()), 1 - USUAL_DAYS);
  const range = isLate ? {} : { ...days, timezone: view.zone };
  const frequent = askOnce(dimension, range, async () =>
    (await api.values(dimension, { ...range, limit: MOST_VALUES })).body.values);
  const mine = asked;
  const name = async (value: Value) => {
    if ((await frequent).some((one) => String(one.value) === String(value)) || mine !== asked) return;
    await askOnce(dimension, value, async () =>
      [{ value, name: await recordName(api, type, String(value)), count: 0 }]);
  };
  for (const value of values) void name(value);
}

/** Keep the names that `load` gives. After a failure there are none: an id is a name too, and the next view asks again. */
function askOnce(dimension: string, what: unknown, load: () => Promise<NamedValue[]>): Promise<NamedValue[]> {
  const key = JSON.stringify([dimension, what]);
  const mine = asked;
  const before = mine.get(key);
  if (before !== undefined) return before;
  const loaded = load().then(
    (values) => {
      if (mine === asked) keepNames(dimension, values);
      return values;
    },
    () => {
      mine.delete(key);
      return [];
    },
  );
  mine.set(key, loaded);
  return loaded;
}

/** The name in a record; null where it has none, or there is no record. */
export async function recordName(api: Api, type: string, id: string, signal?: AbortSignal): Promise<string | null> {
  try {
    return (await api.record(type, id, signal)).body.record.name ?? null;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

export function keepNames(dimension: string, values: NamedValue[]): void {
  const more = values.flatMap(({ value, name }): [string, string][] => (name === null ? [] : [[nameKey(dimension, value), name]]));
  if (more.some(([key, name]) => known.peek().get(key) !== name)) known.value = new Map([...known.peek(), ...more]);
}

/** Also those that are still on their way. */
export function forgetNames(): void {
  asked = new Map();
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

/** The values of a filter that its words name. */
export function namedValues({ op, values }: Filter): Value[] {
  return ["eq", "ne", "in", "not_in"].includes(op) ? values.slice(0, MOST_NAMED) : [];
}

/** "12–18": the end of the last hour, because the filter has all of it. */
function hourSpan([first, last]: Value[]): string {
  return `${hourTick(Number(first))}–${hourTick(Number(last) + 1)}`;
}

function listed(names: string[], isRange: boolean): string {
  if (isRange) return t("filter.and", { first: names[0] ?? "", last: names[1] ?? "" });
  if (names.length > MOST_NAMED) return t("filter.more", { first: names.slice(0, 2).join(", "), count: names.length - 2 });
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
