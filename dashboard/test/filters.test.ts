import assert from "node:assert/strict";
import { test } from "node:test";
import type { Value } from "../src/api/types";
import { addFilter, filterOf, fromCondition, pickHour, removeFilter, toCondition, toggleValue, wordOf, type Filter } from "../src/state/filters";
import { randomOf } from "./random";

const FILTERS: Filter[] = [
  { field: "outcome", op: "eq", values: ["sold"] },
  { field: "attempt", op: "between", values: [1, 4] },
  { field: "provider", op: "not_in", values: ["twilio"] },
  { field: "answered", op: "eq", values: [false] },
  { field: "label", op: "is_null", values: [] },
];

test("a filter is a condition of the API, and back", () => {
  assert.deepEqual(FILTERS.map(toCondition), [
    { field: "outcome", op: "eq", value: "sold" },
    { field: "attempt", op: "between", value: [1, 4] },
    { field: "provider", op: "not_in", value: ["twilio"] },
    { field: "answered", op: "eq", value: false },
    { field: "label", op: "is_null" },
  ]);
  assert.deepEqual(FILTERS.map(toCondition).map(fromCondition), FILTERS);
});

test("a filter is there once", () => {
  for (const filter of FILTERS) assert.equal(addFilter(FILTERS, { ...filter }), FILTERS);
  assert.deepEqual(addFilter([], FILTERS[0]!), [FILTERS[0]]);
  assert.deepEqual(removeFilter(FILTERS, 1), FILTERS.filter((_, index) => index !== 1));
});

test("clicks on values of a field are a set of values", () => {
  for (let seed = 0; seed < 300; seed += 1) {
    const random = randomOf(seed);
    const chosen = new Set<Value>();
    let filters: Filter[] = [FILTERS[1]!];
    for (let click = 0; click < 12; click += 1) {
      const value = random.pick<Value>(["a", "b", "c"]);
      if (!chosen.delete(value)) chosen.add(value);
      filters = toggleValue(filters, "outcome", value);
      const rest = filters.filter(({ field }) => field === "outcome");
      assert.deepEqual(new Set(rest.flatMap(({ values }) => values)), chosen);
      assert.ok(rest.length <= 1 && rest.every(({ op, values }) => op === (values.length === 1 ? "eq" : "in")));
      assert.ok(filters.includes(FILTERS[1]!));
    }
  }
});

test("a click on calls without a value asks for those, and a second one no longer", () => {
  const once = toggleValue([], "outcome", null);
  assert.deepEqual(once, [{ field: "outcome", op: "is_null", values: [] }]);
  assert.deepEqual(toggleValue(once, "outcome", null), []);
});

test("clicks on hours of a weekday choose one, a range, one within it, and none", () => {
  const kept = FILTERS[0]!;
  const day = (weekday: number): Filter => ({ field: "day_of_week", op: "eq", values: [weekday] });
  const hours = (...values: number[]): Filter => ({ field: "hour_of_day", op: values.length === 1 ? "eq" : "between", values });
  let filters: Filter[] = [kept];
  const steps: [weekday: number, hour: number, after: Filter[]][] = [
    [2, 14, [kept, day(2), hours(14)]],
    [2, 17, [kept, day(2), hours(14, 17)]],
    [2, 12, [kept, day(2), hours(12, 17)]],
    [2, 15, [kept, day(2), hours(15)]],
    [2, 15, [kept]],
    [2, 15, [kept, day(2), hours(15)]],
    [3, 15, [kept, day(3), hours(15)]],
  ];
  for (const [weekday, hour, after] of steps) {
    filters = pickHour(filters, weekday, hour);
    assert.deepEqual(filters, after);
  }
});

test("a form gives the filter that it shows, and none while a value is missing", () => {
  for (const filter of FILTERS) assert.deepEqual(filterOf(filter.field, wordOf(filter.op), filter.values),
    filter.op === "not_in" ? { ...filter, op: "ne" } : filter);
  assert.deepEqual(filterOf("outcome", "is", ["a", "b"]), { field: "outcome", op: "in", values: ["a", "b"] });
  assert.deepEqual(filterOf("attempt", "between", [4, 1]), { field: "attempt", op: "between", values: [1, 4] });
  for (const [word, values] of [["is", []], ["contains", [""]], ["lt", [NaN]], ["between", [1, NaN]], ["between", [1]]] as const) {
    assert.equal(filterOf("attempt", word, [...values]), null, word);
  }
});
