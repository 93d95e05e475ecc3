import type { Condition, Op, Value } from "../api/types";

/** One condition of the page: no value for `is_null` and `not_null`, several for `in`, `not_in` and `between`. */
export interface Filter {
  field: string;
  op: Op;
  values: Value[];
}

const LISTS: ReadonlySet<Op> = new Set(["in", "not_in", "between"]);
const BARE: ReadonlySet<Op> = new Set(["is_null", "not_null"]);

export const takesList = (op: Op): boolean => LISTS.has(op);
export const takesNothing = (op: Op): boolean => BARE.has(op);

export function toCondition({ field, op, values }: Filter): Condition {
  if (BARE.has(op)) return { field, op };
  if (LISTS.has(op)) return { field, op, value: values };
  const [value] = values;
  return value === undefined ? { field, op } : { field, op, value };
}

export function fromCondition({ field, op, value }: Condition): Filter {
  return { field, op, values: value === undefined ? [] : Array.isArray(value) ? value : [value] };
}

export const toConditions = (filters: Filter[]): Condition[] => filters.map(toCondition);

/** Which word an operator has: the same for one value and for several. */
export function wordOf(op: Op): string {
  return op === "eq" || op === "in" ? "is" : op === "ne" || op === "not_in" ? "is_not" : op;
}

/** The filter of a field, a word and the values of a form; null while a value is missing. */
export function filterOf(field: string, word: string, values: Value[]): Filter | null {
  const op = opOf(word, values.length);
  if (BARE.has(op)) return { field, op, values: [] };
  const isGiven = values.length > 0 && values.every((value) => value !== "" && !Number.isNaN(value));
  const isFew = op === "between" ? values.length === 2 : LISTS.has(op) || values.length === 1;
  if (!isGiven || !isFew) return null;
  return { field, op, values: op === "between" ? values.toSorted((one, other) => Number(one) - Number(other)) : values };
}

function opOf(word: string, count: number): Op {
  if (word === "is") return count > 1 ? "in" : "eq";
  if (word === "is_not") return count > 1 ? "not_in" : "ne";
  return word as Op;
}

/** The filters with one more, or as they are when it is among them. */
export function addFilter(filters: Filter[], filter: Filter): Filter[] {
  return filters.some((other) => isSame(other, filter)) ? filters : [...filters, filter];
}

export function removeFilter(filters: Filter[], index: number): Filter[] {
  return filters.filter((_, place) => place !== index);
}

/**
 * The filters after a click on one value of a field; null is "without a value".
 * A value that is chosen is dropped; another value of a chosen field is added to it.
 */
export function toggleValue(filters: Filter[], field: string, value: Value | null): Filter[] {
  if (value === null) {
    const bare: Filter = { field, op: "is_null", values: [] };
    const place = filters.findIndex((filter) => isSame(filter, bare));
    return place < 0 ? [...filters, bare] : removeFilter(filters, place);
  }
  const place = filters.findIndex((filter) => filter.field === field && (filter.op === "eq" || filter.op === "in"));
  const chosen = filters[place]?.values ?? [];
  const values = chosen.includes(value) ? chosen.filter((other) => other !== value) : [...chosen, value];
  const changed: Filter[] = values.length === 0 ? [] : [{ field, op: values.length === 1 ? "eq" : "in", values }];
  return place < 0 ? [...filters, ...changed] : filters.flatMap((filter, at) => (at === place ? changed : [filter]));
}

/**
 * The filters after a click on an hour of a weekday: this hour, or, where hours of the same weekday are chosen,
 * all from the first to the last of them. A click within them chooses one again, and on the only one none.
 */
export function pickHour(filters: Filter[], weekday: number, hour: number): Filter[] {
  const others = filters.filter(({ field }) => field !== "day_of_week" && field !== "hour_of_day");
  const hours = hoursOf(filters, weekday);
  if (hours.length > 0 && hours.every((one) => one === hour)) return others;
  const [first, last] = [Math.min(hour, ...hours), Math.max(hour, ...hours)];
  const isExtended = hours.length > 0 && (hour < Math.min(...hours) || hour > Math.max(...hours));
  return [
    ...others,
    { field: "day_of_week", op: "eq", values: [weekday] },
    isExtended ? { field: "hour_of_day", op: "between", values: [first, last] } : { field: "hour_of_day", op: "eq", values: [hour] },
  ];
}

/** The first and the last hour that are chosen on a weekday; empty: none, or not by a range. */
function hoursOf(filters: Filter[], weekday: number): number[] {
  const day = filters.find(({ field }) => field === "day_of_week");
  const hour = filters.find(({ field }) => field === "hour_of_day");
  const isDay = day?.op === "eq" && day.values[0] === weekday;
  return isDay && (hour?.op === "eq" || hour?.op === "between") ? hour.values.map(Number) : [];
}

export function isSame(one: Filter, other: Filter): boolean {
  return JSON.stringify(toCondition(one)) === JSON.stringify(toCondition(other));
}
