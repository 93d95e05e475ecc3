import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Filter } from "../src/state/filters";
import { fieldName, filterName, forgetNames, keepNames, namedValues, valueName, wantNames } from "../src/state/names";
import { session } from "../src/state/session";
import { defaultView } from "../src/state/view";

const filter = (field: string, op: Filter["op"], ...values: Filter["values"]): string => filterName({ field, op, values });

test("a filter reads as a sentence", () => {
  assert.equal(filter("outcome", "eq", "no_show"), "Outcome is no_show");
  assert.equal(filter("status", "in", "busy", "no_answer"), "Status is Busy or No answer");
  assert.equal(filter("provider", "not_in", "a", "b", "c", "d", "e"), "Provider is not a, b and 3 more");
  assert.equal(filter("duration_seconds", "between", 1200, 3600), "Duration (seconds) is between 1,200 and 3,600");
  assert.equal(filter("answered", "eq", false), "Answered is no");
  assert.equal(filter("event.call_transferred", "gt", 0), "Transfers is more than 0");
  assert.equal(filter("payload.city", "is_null"), "Payload: city has no value");
  assert.equal(filter("day_of_week", "eq", 2), "Weekday is Tuesday");
});

test("hours are a span that ends with the last of them", () => {
  assert.match(filter("hour_of_day", "between", 12, 17), /^Hour is 12.*–(18|6 PM)$/);
  assert.match(filter("hour_of_day", "between", 20, 23), /^Hour is (20|8 PM)–(00|12 AM)$/);
});

test("a value has the name of its record as soon as it is known, and only in its dimension", () => {
  assert.equal(valueName("campaign_id", "7"), "7");
  keepNames("campaign_id", [{ value: "7", name: "Renewals", count: 3 }, { value: "8", name: null, count: 1 }]);
  assert.deepEqual([valueName("campaign_id", "7"), valueName("campaign_id", "8"), valueName("label", "7")], ["Renewals", "8", "7"]);
  forgetNames();
  assert.equal(valueName("campaign_id", "7"), "7");
});

test("what the API may send and no name is known for is shown as it is", () => {
  assert.equal(valueName("outcome", "no_show"), "no_show");
  assert.equal(valueName("language", "de"), "German");
  assert.equal(valueName("language", "not a tag"), "not a tag");
  assert.equal(valueName("provider", null), "No value");
  assert.equal(valueName("attempt", 1000), "1,000");
  assert.equal(fieldName("payload.a.b"), "Payload: a.b");
});

test("a value of a filter that is not among the most frequent is named by its record, once", async () => {
  const requests: string[] = [];
  const bodies: Record<string, object> = {
    "/v1/values/campaign_id?limit=200": { values: [{ value: "7", name: "Renewals", count: 1 }, { value: "8", name: null, count: 1 }] },
    "/v1/records/campaign/9": { record: { name: "Rare" } },
  };
  Object.assign(globalThis, { fetch: async (path: string) => {
    requests.push(path);
    return path in bodies ? new Response(JSON.stringify(bodies[path])) : new Response("{}", { status: 404 });
  } });
  session.value = { token: "rc_1", since: Date.now() };
  for (const values of [["7", "8", "9"], ["9", "gone"], ["gone"]]) {
    wantNames("campaign_id", defaultView("UTC"), values);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.equal(filter("campaign_id", "in", "7", "8", "9"), "Campaign is Renewals, 8, or Rare");
  assert.deepEqual(requests, ["/v1/values/campaign_id?limit=200", "/v1/records/campaign/9", "/v1/records/campaign/gone"]);
  session.value = null;
});

test("the values that a filter's words name are at most three, and whole", () => {
  assert.deepEqual(namedValues({ field: "label", op: "in", values: ["a", "b", "c", "d"] }), ["a", "b", "c"]);
  assert.deepEqual(namedValues({ field: "label", op: "starts_with", values: ["a"] }), []);
  assert.deepEqual(namedValues({ field: "label", op: "is_null", values: [] }), []);
});

test("names of the organisation before are not kept when they arrive after the end of its session", async () => {
  const answers: ((response: Response) => void)[] = [];
  Object.assign(globalThis, { fetch: () => new Promise<Response>((resolve) => answers.push(resolve)) });
  const answer = async (name: string) => {
    answers.pop()!(new Response(JSON.stringify({ values: [{ value: "7", name, count: 1 }] })));
    await new Promise((resolve) => setTimeout(resolve));
    return valueName("campaign_id", "7");
  };
  const ask = (token: string) => {
    session.value = { token, since: Date.now() };
    wantNames("campaign_id", defaultView("UTC"));
  };
  ask("rc_1");
  session.value = null;
  assert.equal(await answer("Theirs"), "7");
  // The record of a filter's value would be read next, with the token of the next session.
  session.value = { token: "rc_1", since: Date.now() };
  wantNames("campaign_id", defaultView("UTC"), ["9"]);
  session.value = { token: "rc_2", since: Date.now() };
  await answer("Theirs");
  assert.equal(answers.length, 0);
  ask("rc_2");
  assert.equal(await answer("Ours"), "Ours");
  session.value = null;
  assert.equal(valueName("campaign_id", "7"), "7");
});
