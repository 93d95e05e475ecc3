import assert from "node:assert/strict";
import { test } from "node:test";
import type { QueryAnswer } from "../src/api/types";
import { contactsQuery, kindsQuery, linesQuery, rankedOf, topQuery } from "../src/pages/figures";
import { scopedView } from "../src/pages/scope";
import { defaultView, type View } from "../src/state/view";

const NOW = new Date("2026-11-29T01:00:00Z");
const VIEW: View = {
  ...defaultView("Asia/Kathmandu"),
  filters: [{ field: "provider", op: "eq", values: ["twilio"] }],
};

test("a campaign's figures are of its calls, the view's filters, period and zone", () => {
  const body = linesQuery(scopedView({ ...VIEW, page: { kind: "campaign", id: "7" } }), NOW);
  assert.deepEqual(body.filters, [
    { field: "provider", op: "eq", value: "twilio" },
    { field: "campaign_id", op: "eq", value: "7" },
  ]);
  assert.deepEqual(body.dimensions, ["day"]);
  assert.equal(body.period, "last_28_days");
  assert.equal(body.timezone, "Asia/Kathmandu");
  assert.equal(body.compare, "previous_period");
  assert.ok(body.measures.length <= 20 && new Set(body.measures).size === body.measures.length);
});

test("a view of no campaign is its own scope", () => {
  for (const page of [{ kind: "overview" }, { kind: "workspace", id: "w" }] as const) {
    assert.deepEqual(scopedView({ ...VIEW, page }).filters, VIEW.filters);
  }
});

test("a campaign that is among the filters already is not added twice", () => {
  const filters: View["filters"] = [{ field: "campaign_id", op: "eq", values: ["7"] }];
  assert.deepEqual(scopedView({ ...VIEW, filters, page: { kind: "campaign", id: "7" } }).filters, filters);
});

test("a workspace's figures are of its events, without the filters of calls", () => {
  const workspace = { field: "workspace_id", op: "eq", value: "w" };
  const joins = { field: "event_type", op: "eq", value: "room_join" };
  for (const body of [contactsQuery(VIEW, "w", "room_join", NOW), kindsQuery(VIEW, "w"), topQuery(VIEW, "w", "room_id")]) {
    assert.equal(body.dataset, "contact_events");
    assert.deepEqual(body.measures, ["events"]);
    assert.equal(body.timezone, "Asia/Kathmandu");
  }
  assert.deepEqual(contactsQuery(VIEW, "w", "room_join", NOW).filters, [workspace, joins]);
  assert.deepEqual(kindsQuery(VIEW, "w").filters, [workspace]);
  assert.deepEqual(topQuery(VIEW, "w", "room_id").filters, [workspace, joins, { field: "room_id", op: "not_null" }]);
});

test("a ranking has ten rows unless all are shown", () => {
  assert.equal(topQuery(VIEW, "w", "room_id").limit, 10);
  assert.equal(topQuery({ ...VIEW, all: "booking_page_id" }, "w", "room_id").limit, 10);
  assert.equal(topQuery({ ...VIEW, all: "room_id" }, "w", "room_id").limit, kindsQuery(VIEW, "w").limit);
});

test("shares are of all events, also of rows that are not shown", () => {
  const answer: QueryAnswer = {
    rows: [
      { room_id: "a", events: 3, previous: { events: 1 } },
      { room_id: null, events: 1, previous: { events: 0 } },
    ],
    totals: { events: 8 },
    total_rows: 4,
    next: "more",
    period: { from: null, to: null, timezone: "UTC" },
  };
  assert.deepEqual(rankedOf(answer, "room_id", "events"), [
    { value: "a", count: 3, share: 3 / 8, previous: 1 },
    { value: null, count: 1, share: 1 / 8, previous: 0 },
  ]);
  assert.deepEqual(rankedOf({ ...answer, rows: [], totals: { events: 0 } }, "room_id", "events"), []);
});
