import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../src/api/client";
import { AUDIT_MS, FOLLOW_MS, refresher } from "../src/pages/live";
import { resource } from "../src/state/resource";

const settled = () => new Promise((resolve) => setTimeout(resolve));
const refused = new ApiError(403, "Forbidden.", "r-1");

/** A page whose first figure and others are what `now` says, with a count of the requests for each. */
function page() {
  const now: { first: unknown; other: unknown; time: number } = { first: 1, other: 1, time: 0 };
  const asked = { first: 0, other: 0, audit: 0 };
  const of = (name: "first" | "other" | "audit") => resource(() => name, async () => {
    asked[name] += 1;
    const value = name === "audit" ? null : now[name];
    if (value instanceof Error) throw value;
    return { body: { totals: { events: value } }, trust: { asOf: null } };
  });
  const [first, other, audit] = [of("first"), of("other"), of("audit")] as never[];
  const refresh = refresher(first!, [other!], audit!, () => now.time);
  const after = async (ms: number) => {
    now.time += ms;
    await refresh();
    await settled();
    return [asked.first, asked.other, asked.audit];
  };
  return { now, after };
}

test("a refresh asks for one figure; for the others when it has changed, at most once a minute", async () => {
  const { now, after } = page();
  await settled();
  assert.deepEqual(await after(5_000), [2, 1, 1]);
  now.first = 2;
  assert.deepEqual(await after(5_000), [3, 1, 1]);
  assert.deepEqual(await after(FOLLOW_MS), [4, 2, 1]);
  assert.deepEqual(await after(FOLLOW_MS), [5, 2, 1]);
  now.first = 3;
  assert.deepEqual(await after(5_000), [6, 3, 1]);
  assert.deepEqual(await after(AUDIT_MS), [7, 3, 2]);
});

test("what was refused is not asked again: the page, or one of its figures", async () => {
  const { now, after } = page();
  await settled();
  now.other = new ApiError(422, "too large", "r-2");
  now.first = 2;
  assert.deepEqual(await after(FOLLOW_MS), [2, 2, 1]);
  now.first = 3;
  assert.deepEqual(await after(FOLLOW_MS), [3, 2, 1]);
  now.first = refused;
  assert.deepEqual(await after(5_000), [4, 2, 1]);
  assert.deepEqual(await after(AUDIT_MS), [4, 2, 1]);
});

test("what failed otherwise is asked again", async () => {
  const { now, after } = page();
  await settled();
  now.first = new ApiError(503, "busy", "r-3");
  assert.deepEqual(await after(5_000), [2, 1, 1]);
  assert.deepEqual(await after(5_000), [3, 1, 1]);
});
