import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Answer } from "../src/api/client";
import type { QueryAnswer } from "../src/api/types";
import { seriesState } from "../src/overview/measures";
import type { ResourceState } from "../src/state/resource";
import { defaultView } from "../src/state/view";

type State = ResourceState<Answer<QueryAnswer>>;

const VIEW = defaultView("UTC");
const NOTHING: State = { status: "loading", data: null, error: null, stale: false };

function ready(day: string, totals: QueryAnswer["totals"]): State {
  const period = { from: `${day}T00:00:00.000Z`, to: `${day}T23:59:59.999Z`, timezone: "UTC" };
  const body: QueryAnswer = { rows: [{ day, status: "BACKLOG", ...totals }], totals, total_rows: 1, next: null, period };
  return { status: "ready", data: { body, trust: { source: null, items: 1, units: 1, asOf: null } }, error: null, stale: false };
}
const reloading = (state: State): State => ({ ...state, status: "loading", stale: true });
const failed = (state: State): State => ({ ...state, status: "failed", error: new Error("no"), stale: state.data !== null });

const CALLS = ready("2026-11-28", { calls: 7, cost: 2 });
const LEADS = ready("2026-11-28", { leads: 3 });

test("a figure of calls has the state of the calls", () => {
  for (const leads of [LEADS, NOTHING, reloading(LEADS), failed(NOTHING)]) {
    const now = (calls: State) => seriesState(VIEW, "cost", calls, leads);
    assert.deepEqual([now(CALLS).status, now(CALLS).data?.total, now(CALLS).stale], ["ready", 2, false]);
    assert.deepEqual([now(reloading(CALLS)).status, now(reloading(CALLS)).data?.total, now(reloading(CALLS)).stale], ["loading", 2, true]);
    const old = now(failed(CALLS));
    assert.deepEqual([old.status, old.data?.total, old.stale, old.error?.message], ["failed", 2, true, "no"]);
    assert.deepEqual(now(NOTHING), NOTHING);
  }
});

test("leads are marked as old while either answer is", () => {
  const now = (calls: State, leads: State) => seriesState(VIEW, "leads", calls, leads);
  const { data, ...rest } = now(CALLS, LEADS);
  assert.deepEqual(rest, { status: "ready", error: null, stale: false });
  assert.deepEqual([data?.total, data?.points.map(({ value }) => value)], [3, [3]]);
  for (const [calls, leads, status] of [
    [CALLS, reloading(LEADS), "loading"], [reloading(CALLS), LEADS, "loading"],
    [CALLS, failed(LEADS), "failed"], [failed(CALLS), LEADS, "failed"],
  ] as const) {
    const state = now(calls, leads);
    assert.deepEqual([state.status, state.stale, state.data?.total], [status, true, 3]);
    assert.equal(state.error !== null, status === "failed");
  }
  assert.deepEqual([now(CALLS, NOTHING).status, now(CALLS, NOTHING).data], ["loading", null]);
  assert.deepEqual([now(CALLS, failed(NOTHING)).status, now(CALLS, failed(NOTHING)).data], ["failed", null]);
});

test("leads of one period are not drawn in the buckets of another", () => {
  const other = ready("2026-11-29", { calls: 9 });
  for (const calls of [reloading(other), failed(other)]) {
    const state = seriesState(VIEW, "leads", calls, LEADS);
    assert.deepEqual([state.data, state.stale, state.status], [null, false, calls.status]);
  }
});
