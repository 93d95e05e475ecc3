import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import { effect } from "@preact/signals";
import type { QueryBody } from "../src/api/types";
import { loadOverview } from "../src/overview/data";
import { defaultView, navigate, view } from "../src/state/view";

/** An API that counts some calls per period. */
function serve(counts: Record<string, number>): QueryBody[] {
  const asked: QueryBody[] = [];
  globalThis.fetch = async (path, init) => {
    const body = JSON.parse(String(init?.body ?? "{}")) as QueryBody;
    if (path === "/v1/query") asked.push(body);
    const answer = { rows: [], totals: { calls: counts[body.period!] }, total_rows: 0, next: null, period: {} };
    return new Response(JSON.stringify(answer), { headers: { "Content-Type": "application/json" } });
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
