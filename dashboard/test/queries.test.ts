import assert from "node:assert/strict";
import { test } from "node:test";
import type { QueryAnswer, Row } from "../src/api/types";
import {
  breakdownQuery, callOnlyFields, entriesOf, eventEntries, hoursQuery, leadPointsOf, leadsQuery, overviewQuery, pointsOf,
  sharedDimensions, stagesOf,
} from "../src/state/queries";
import { defaultView, type View } from "../src/state/view";
import { randomOf } from "./random";

const NOW = new Date("2026-11-29T20:00:00Z");
const VIEW = defaultView("Asia/Kolkata");
const filtered = (field: string): View => ({ ...VIEW, filters: [{ field, op: "eq", values: ["x"] }] });

const answerOf = (rows: Row[], rest: Partial<QueryAnswer> = {}): QueryAnswer => ({
  rows, totals: {}, total_rows: rows.length, next: null, period: { from: null, to: null, timezone: "UTC" }, ...rest,
});

test("each body stays within the API's limits and names zone, period and comparison", () => {
  for (const body of [overviewQuery(VIEW, NOW), leadsQuery(VIEW, NOW)!, breakdownQuery(VIEW, sharedDimensions(VIEW))]) {
    assert.ok(body.measures.length <= 20 && new Set(body.measures).size === body.measures.length);
    assert.ok(body.dimensions!.length <= 3);
    assert.equal(body.timezone, "Asia/Kolkata");
    assert.equal(body.period, "last_28_days");
    assert.equal(body.compare, "previous_period");
  }
  assert.deepEqual(hoursQuery(VIEW).dimensions, ["hour_of_day", "day_of_week"]);
  assert.equal("compare" in overviewQuery({ ...VIEW, compare: "off" }, NOW), false);
  assert.equal("filters" in overviewQuery(VIEW, NOW), false);
  assert.deepEqual(overviewQuery(filtered("outcome"), NOW).filters, [{ field: "outcome", op: "eq", value: "x" }]);
});

test("leads are asked for only by what leads have", () => {
  assert.equal(leadsQuery(filtered("status"), NOW), null);
  assert.deepEqual(callOnlyFields(filtered("status").filters), ["status"]);
  for (const field of ["merchant_id", "hour_of_day", "payload.city"]) {
    assert.deepEqual(leadsQuery(filtered(field), NOW)?.filters, [{ field, op: "eq", value: "x" }]);
  }
});

test("one query answers the tabs of three cards", () => {
  assert.deepEqual(sharedDimensions(VIEW), ["outcome", "campaign_id", "provider"]);
  assert.deepEqual(sharedDimensions({ ...VIEW, tabs: { ...VIEW.tabs, mark: "label" } }), ["outcome", "campaign_id", "provider"]);
});

test("entries of one dimension sum up to the calls of all rows", () => {
  for (let seed = 0; seed < 200; seed += 1) {
    const random = randomOf(seed);
    const rows = Array.from({ length: random.whole(60) }, (): Row => ({
      outcome: random.pick(["a", "b", null]), attempt: random.pick([1, 2, null]), provider: random.pick(["x", "null"]),
      calls: random.whole(50), previous: { calls: random.whole(50) },
    }));
    const answer = answerOf(rows, { previous_totals: {} });
    for (const dimension of ["outcome", "attempt", "provider"]) {
      const entries = entriesOf(answer, dimension);
      for (const { value, calls, previous } of entries) {
        const own = rows.filter((row) => row[dimension] === value);
        assert.equal(calls, own.reduce((sum, row) => sum + Number(row["calls"]), 0));
        assert.equal(previous, own.reduce((sum, row) => sum + row.previous!["calls"]!, 0));
      }
      assert.equal(entries.length, new Set(rows.map((row) => row[dimension])).size);
      assert.ok(entries.every((entry, place) => place === 0 || entries[place - 1]!.calls >= entry.calls));
    }
  }
});

test("without a comparison nothing has a previous figure", () => {
  assert.deepEqual(entriesOf(answerOf([{ outcome: "a", calls: 3 }]), "outcome"), [{ value: "a", calls: 3, previous: null }]);
  assert.ok(eventEntries(answerOf([], { totals: { "event.sms_sent": 3 } })).every(({ previous }) => previous === null));
});

test("buckets after the open one have no value yet", () => {
  const rows: Row[] = [
    { day: "2026-11-28", calls: 4, previous: { calls: 1 } },
    { day: "2026-11-29", calls: 2, complete: false, previous: { calls: 3 } },
    { day: "2026-11-30", calls: 0, previous: { calls: 5 } },
  ];
  assert.deepEqual(pointsOf(answerOf(rows), "day", "calls"), [
    { label: "2026-11-28", value: 4, previous: 1, complete: true },
    { label: "2026-11-29", value: 2, previous: 3, complete: false },
    { label: "2026-11-30", value: null, previous: 5, complete: true },
  ]);
});

test("leads of all statuses are summed up in the buckets of the calls", () => {
  const frame = [
    { label: "2026-11-28", value: 4, previous: 1, complete: true },
    { label: "2026-11-29", value: 2, previous: 3, complete: false },
    { label: "2026-11-30", value: null, previous: 5, complete: true },
  ];
  const leads = answerOf([
    { day: "2026-11-28", status: "BACKLOG", leads: 3, previous: { leads: 1 } },
    { day: "2026-11-28", status: "FINISHED", leads: 4, previous: { leads: 2 } },
    { day: "2026-11-30", status: "FINISHED", leads: 0, previous: { leads: 6 } },
  ]);
  assert.deepEqual(leadPointsOf(leads, "day", frame), [
    { label: "2026-11-28", value: 7, previous: 3, complete: true },
    { label: "2026-11-29", value: 0, previous: 0, complete: false },
    { label: "2026-11-30", value: null, previous: 6, complete: true },
  ]);
});

test("a lead counts in every stage that it has reached", () => {
  const leads = answerOf([
    { day: "2026-11-28", status: "BACKLOG", leads: 10, converted: 0 },
    { day: "2026-11-28", status: "PROCESSING", leads: 5, converted: 0 },
    { day: "2026-11-29", status: "RETRY", leads: 3, converted: 0 },
    { day: "2026-11-29", status: "FINISHED", leads: 4, converted: 2 },
  ], { totals: { leads: 22, converted: 2, conversion_rate: 9.09 } });
  assert.deepEqual(stagesOf(leads).map(({ value }) => value), [22, 12, 4, 2]);
});
