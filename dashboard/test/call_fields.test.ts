import assert from "node:assert/strict";
import { test } from "node:test";
import { bandOf, eventsOf, payloadOf, sectionsOf } from "../src/drawer/call_fields";

const CALL = {
  type: "call",
  id: "call-4",
  started_at: "2026-11-19T10:05:00.000Z",
  status: "completed",
  campaign_id: 7,
  provider: "telnyx",
  duration_seconds: 312,
  sentiment: 0.84,
  cost: 0,
  answered: false,
  labels: [7, "vip"],
  events: { sms_sent: 2, take_message: 0 },
  payload: { plan: "trial", score: 0, vip: false, note: null },
  detail: { summary: "x" },
  updated_at: "2026-11-20T09:00:00.000Z",
};

function fieldsOf(record: Record<string, unknown>) {
  return new Map(sectionsOf(record).flatMap((section) => section.fields.map((field) => [field.key, field])));
}

test("every field that the record has is shown once, and no other", () => {
  const shown = sectionsOf(CALL).flatMap((section) => section.fields.map((field) => field.key));
  const own = Object.keys(CALL).filter((key) => !["type", "events", "payload", "detail"].includes(key));
  assert.deepEqual(shown.toSorted(), own.toSorted());
});

test("false and 0 are values", () => {
  assert.deepEqual(fieldsOf(CALL).get("answered")?.values, [
    { value: false, filter: { field: "answered", op: "eq", values: [false] } },
  ]);
  assert.deepEqual(fieldsOf(CALL).get("cost")?.values, [{ value: 0, filter: null }]);
});

test("a field that the page does not know is shown as it is", () => {
  assert.deepEqual(fieldsOf({ ...CALL, mood: "fine" }).get("mood"), {
    key: "mood",
    kind: "name",
    values: [{ value: "fine", filter: null }],
  });
});

test("ids are filtered by their text, each label by itself", () => {
  const fields = fieldsOf(CALL);
  assert.deepEqual(fields.get("campaign_id")?.values[0]?.filter?.values, ["7"]);
  assert.deepEqual(
    fields.get("labels")?.values.map(({ filter }) => filter),
    [
      { field: "label", op: "eq", values: ["7"] },
      { field: "label", op: "eq", values: ["vip"] },
    ],
  );
});

test("a sentiment filters its band, whose upper bound belongs to the next", () => {
  assert.deepEqual(fieldsOf(CALL).get("sentiment")?.values[0]?.filter?.values, ["positive"]);
  const names = ["negative", "slightly_negative", "neutral", "slightly_positive", "positive"];
  for (let thousandths = 0; thousandths <= 1000; thousandths++) {
    const expected = names[[200, 400, 600, 800].filter((edge) => thousandths >= edge).length];
    assert.equal(bandOf(Number((thousandths / 1000).toFixed(3))), expected, String(thousandths));
  }
});

test("events that happened are shown, those that did not are not", () => {
  const filter = { field: "event.sms_sent", op: "gt", values: [0] };
  assert.deepEqual(eventsOf(CALL), [{ name: "sms_sent", count: 2, filter }]);
  assert.deepEqual(eventsOf({}), []);
});

test("payload values keep their type in the filter, and null has none", () => {
  assert.deepEqual(
    payloadOf(CALL).map(({ key, filter }) => [key, filter?.values ?? null]),
    [
      ["plan", ["trial"]],
      ["score", [0]],
      ["vip", [false]],
      ["note", null],
    ],
  );
});
