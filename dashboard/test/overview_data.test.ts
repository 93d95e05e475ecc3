import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import { effect } from "@preact/signals";
import type { QueryBody } from "../src/api/types";
import { loadOverview } from "../src/overview/data";
import { session } from "../src/state/session";
import { defaultView, navigate, view } from "../src/state/view";

session.value = { token: "rc_1", since: Date.now() };

/** What each of the four queries reads: another power of two. */
function itemsOf(body: QueryBody): number {
  return body.dataset === "leads" ? 4 : body.dimensions?.length === 3 ? 8 : body.dimensions?.includes("hour_of_day") ? 2 : 1;
}

/** An API that counts some calls per period. */
function serve(counts: Record<string, number>): QueryBody[] {
  const asked: QueryBody[] = [];
  globalThis.fetch = async (path, init) => {
    const body = JSON.parse(String(init?.body ?? "{}")) as QueryBody;
    if (path === "/v1/query") asked.push(body);
    const answer = { rows: [], totals: { calls: counts[body.period!] }, total_rows: 0, next: null, period: {} };
    const headers = { "Content-Type": "application/json", "X-Rollcall-Items-Read": String(itemsOf(body)) };
    return new Response(JSON.stringify(answer), { headers });
  };
  return asked;
}

/** Wait until every request has its answer. */
async function settle(resources: { state: { value: { status: string } } }[]): Promise<void> {
  const isBusy = () => resources.some(({ state }) => state.value.status === "loading");
  do await new Promise((resolve) => setImmediate(resolve)); while (isBusy());
}

test("cards stay apart, or together, while the calls of another period are counted", async () => {
  const asked = serve({ today: 100, last_7_days: 9_000, last_28_days: 30_000, last_90_days: 90_000 });
  view.value = { ...defaultView("UTC"), period: "today" };
  const { data, dispose } = loadOverview();
  const seen: boolean[] = [];
  const stop = effect(() => void seen.push(data.isApart.value));
  const isTogether = (body: QueryBody) => body.dimensions?.length === 3;
  for (const [period, ways, together] of [
    ["today", [false], 1],
    ["last_7_days", [false], 1],
    ["last_28_days", [false, true], 0],
    ["last_90_days", [false, true], 0],
    ["today", [false, true, false], 1],
  ] as const) {
    asked.length = 0;
    if (period !== view.peek().period) navigate({ period });
    await settle([data.calls, data.hours, data.leads, ...(together > 0 ? [data.together] : [])]);
    assert.deepEqual(seen, ways, period);
    assert.equal(asked.filter(isTogether).length, together, period);
    assert.ok(data.isCounted.value);
  }
  stop();
  dispose();
});

test("only answers that are shown are counted as read", async () => {
  serve({ today: 100, last_90_days: 90_000 });
  view.value = { ...defaultView("UTC"), period: "today" };
  const { data, dispose } = loadOverview();
  const read = () => data.trusts().reduce((sum, { items }) => sum + (items ?? 0), 0);
  await settle([data.calls, data.hours, data.leads, data.together]);
  assert.equal(read(), 1 + 2 + 4 + 8);
  // Leads cannot be filtered by the outcome of a call.
  navigate({ filters: [{ field: "outcome", op: "eq", values: ["x"] }] });
  await settle([data.calls, data.hours, data.together]);
  assert.equal(read(), 1 + 2 + 8);
  navigate({ period: "last_90_days", filters: [] });
  await settle([data.calls, data.hours, data.leads]);
  data.report("result", { source: null, items: 16, units: 1, asOf: null });
  assert.equal(read(), 1 + 2 + 4 + 16);
  data.report("result", null);
  assert.equal(read(), 1 + 2 + 4);
  dispose();
});
