import assert from "node:assert/strict";
import { test } from "node:test";
import type { Op, Value } from "../src/api/types";
import type { Filter } from "../src/state/filters";
import { NAMED } from "../src/state/periods";
import { CARDS, defaultView, FIGURES, MEASURES, parseView, RANKINGS, serialiseView, TABS, withTable, type FigureId, type View } from "../src/state/view";
import { randomOf } from "./random";

const TEXTS = ["a", "", "a:b", "[x]", "50 %", "a&b=c#d", "größe", "日本", "[", "true", "5", "a\nb", "\"", "a+b", "%2F"];
const VALUES: Value[] = [...TEXTS, 0, -1.5, 1e15, true, false];

function randomView(seed: number): View {
  const random = randomOf(seed);
  const listed = (count: number) => Array.from({ length: count }, () => random.pick(VALUES));
  const filter = (): Filter => {
    const op = random.pick<Op>(["eq", "ne", "in", "not_in", "between", "contains", "is_null", "not_null"]);
    const count = op.endsWith("null") ? 0 : op === "between" ? 2 : op.endsWith("in") ? 1 + random.whole(3) : 1;
    return { field: random.pick(["outcome", "payload.a-b_c.d", "event.sms_sent"]), op, values: listed(count) };
  };
  const view = defaultView(random.pick(["UTC", "Asia/Kolkata", "Europe/Berlin"]));
  const sort = () => ({ by: random.pick(["value", "name", "change"] as const), descending: random.whole(2) === 0 });
  return {
    ...view,
    period: random.pick([
      ...NAMED, { from: "2026-10-25", to: "2026-11-01" },
      { from: "2026-10-25T02:00:00+02:00", to: "2026-10-25T02:59:59+02:00" },
    ]),
    compare: random.pick(["previous_period", "previous_weekdays", "previous_year", "off"] as const),
    filters: Array.from({ length: random.whole(4) }, filter),
    measure: random.pick(MEASURES),
    live: random.whole(2) === 0,
    tabs: Object.fromEntries(CARDS.map((card) => [card, random.pick(TABS[card])])) as View["tabs"],
    sorts: Object.fromEntries(CARDS.map((card) => [card, sort()])) as View["sorts"],
    tables: FIGURES.filter(() => random.whole(4) === 0),
    all: random.pick([null, ...CARDS, ...RANKINGS]),
    calls: random.whole(2) === 0,
    call: random.pick([null, "c-1", "a/b?c", "5"]),
    page: random.pick([
      { kind: "overview" } as const, { kind: "sources" } as const, { kind: "campaign", id: "a&b" } as const, { kind: "workspace", id: "w" } as const,
    ]),
  };
}

test("the address holds every choice", () => {
  for (let seed = 0; seed < 500; seed += 1) {
    const view = randomView(seed);
    assert.deepEqual(parseView(serialiseView(view), "America/New_York"), view, `seed ${seed}`);
  }
});

test("the default view is short, and names its zone", () => {
  assert.equal(serialiseView(defaultView("Europe/Berlin")), "?zone=Europe/Berlin");
  assert.deepEqual(parseView("", "Asia/Kolkata"), defaultView("Asia/Kolkata"));
});

test("the order in which tables were opened is no choice", () => {
  const view = { ...defaultView("UTC"), tables: ["main", "heat"] as FigureId[] };
  assert.deepEqual(parseView("?table=heat&table=main&table=heat", "UTC"), view);
  assert.deepEqual([withTable(view.tables, "heat", true), withTable(view.tables, "heat", false)], [["main", "heat"], ["main"]]);
  assert.deepEqual(withTable(["heat"], "main", true), ["main", "heat"]);
});

test("a simple filter is readable", () => {
  const view = { ...defaultView("UTC"), filters: [{ field: "outcome", op: "eq", values: ["no_show"] } as Filter] };
  assert.equal(serialiseView(view), "?zone=UTC&f=outcome:eq:no_show");
});

test("what an address holds wrongly is left at its default", () => {
  const wrong = [
    "zone=Nowhere/Land", "period=forever", "from=2026-13-01&to=2026-13-02", "from=2026-11-01", "compare=x", "f=outcome",
    "f=outcome:eq", "f=outcome:like:x", "f=attempt:between:[1]", "f=attempt:in:[", "f=attempt:eq:[{}]", "f=a:is_null:x",
    "measure=x", "result=provider", "result.sort=x", "all=x", "table=x", "campaign=",
  ];
  for (const search of wrong) assert.deepEqual(parseView(`?${search}`, "UTC"), defaultView("UTC"), search);
});
