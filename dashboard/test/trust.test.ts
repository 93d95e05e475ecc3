import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import { signal } from "@preact/signals";
import type { Trust } from "../src/api/client";
import type { Audit } from "../src/api/types";
import type { OverviewData } from "../src/overview/data";
import { readingOf, trustParts, type Reading } from "../src/overview/trust";
import { defaultView } from "../src/state/view";
import { en } from "../src/text/en";

const NOW = Date.parse("2026-11-29T20:00:00Z");
const VIEW = defaultView("UTC");
const READING: Reading = { status: "ready", items: 56, units: 14, asOf: new Date(NOW - 3_000) };
const AUDIT: Audit = {
  last_run: "2026-11-29T14:42:00Z", started_at: "2026-11-29T14:41:00Z", facts: 3000, rows: 3000, pages: 9, rollups: 700,
  drift: 0, repaired: 0, unsettled: 0, exact: true,
};
const trust = (items: number, seconds: number | null): Trust =>
  ({ source: null, items, units: items / 2, asOf: seconds === null ? null : new Date(NOW - seconds * 1000) });

const stateOf = (data: unknown, error: Error | null = null) =>
  signal({ status: error === null ? "ready" : "failed", data, error, stale: false });

interface Given {
  isApart?: boolean;
  apart?: Record<string, Trust>;
  calls?: Trust | null;
  error?: Error;
}

/** What the page has read: calls, hours, leads and cards together, each with another power of two of items. */
function dataOf({ isApart = false, apart = {}, calls = trust(1, 9), error }: Given): OverviewData {
  const loaded = (one: Trust | null) => ({ state: stateOf(one === null ? null : { trust: one }, error ?? null) });
  const others = error === undefined ? [trust(2, 8), trust(4, 7), trust(8, 6)] : [null, null, null];
  return {
    calls: loaded(calls), hours: loaded(others[0]!), leads: loaded(others[1]!), together: loaded(others[2]!),
    isApart: signal(isApart), apart: signal(apart),
  } as unknown as OverviewData;
}

const audited = (audit: Partial<Audit> | null, error: Error | null = null, reading = READING) => {
  const data = audit === null ? null : { ...AUDIT, ...audit };
  const parts = trustParts(reading, { status: "ready", data, error, stale: false }, "UTC", NOW);
  return { exact: parts.find(({ mark }) => mark === "exact")!, audit: parts.find(({ mark }) => mark === "audit")! };
};

test("what was read is the sum of the answers that are shown", () => {
  const items = (given: Given, view = VIEW) => readingOf(dataOf(given), view).items;
  assert.equal(items({}), 1 + 2 + 4 + 8);
  // Cards that ask for themselves show no answer for all of them, and the filters of calls exclude leads.
  assert.equal(items({ isApart: true, apart: { result: trust(16, 5), mark: trust(32, 5) } }), 1 + 2 + 4 + 16 + 32);
  const filtered = { ...VIEW, filters: [{ field: "outcome", op: "eq" as const, values: ["x"] }] };
  assert.equal(items({}, filtered), 1 + 2 + 8);
  assert.equal(readingOf(dataOf({}), VIEW).asOf?.getTime(), NOW - 6_000);
  assert.equal(readingOf(dataOf({ isApart: true }), VIEW).asOf?.getTime(), NOW - 7_000);
});

test("repaired drift is reported, and is no drift any more", () => {
  const { audit, exact } = audited({ drift: 3, repaired: 3 });
  assert.deepEqual([audit.tone, audit.text], ["warn", "last audit 14:42: 3 cases of drift, repaired"]);
  assert.equal(audit.why, en["trust.why.audit_repaired"]);
  assert.equal(exact.text, "exact");
});

test("drift that is left is red, and an audit without any is good", () => {
  for (const repaired of [0, 2]) {
    const { audit, exact } = audited({ drift: 3, repaired, exact: false });
    assert.deepEqual([audit.tone, audit.text], ["bad", "last audit 14:42: 3 cases of drift"]);
    assert.deepEqual([exact.tone, exact.text], ["bad", "not exact"]);
  }
  assert.deepEqual([audited({}).audit.tone, audited({}).audit.text], ["good", "last audit 14:42: no drift"]);
  assert.equal(audited({ unsettled: 4, exact: false }).audit.text, "last audit 14:42: not complete");
});

test("an audit that cannot be read is not the last one's result", () => {
  for (const last of [null, AUDIT]) {
    const { audit } = audited(last, new Error("no"));
    assert.deepEqual([audit.tone, audit.text, audit.why], ["warn", "audit not readable", en["trust.why.audit_failed"]]);
  }
});

test("each part explains what it says itself", () => {
  const reading = (given: Given) => readingOf(dataOf(given), VIEW);
  const first = (one: Reading) => trustParts(one, { status: "ready", data: AUDIT, error: null, stale: false }, "UTC", NOW)[0]!;
  assert.equal(first({ ...READING, status: "loading" }).why, en["trust.why.loading"]);
  const failed = first(reading({ calls: null, error: new Error("no") }));
  assert.deepEqual([failed.text, failed.why], [en["trust.failed"], en["trust.why.failed"]]);
  const none = first({ ...READING, asOf: null });
  assert.deepEqual([none.text, none.why], [en["trust.as_of_none"], en["trust.why.as_of_none"]]);
  assert.equal(audited({ last_run: null }).audit.why, en["trust.why.audit_never"]);
  assert.equal(audited({ exact: false }).audit.why, en["trust.why.audit_unsettled"]);
});

test("past a minute the mark of freshness is amber", () => {
  const tone = (seconds: number) => trustParts({ ...READING, asOf: new Date(NOW - seconds * 1000) },
    { status: "ready", data: AUDIT, error: null, stale: false }, "UTC", NOW)[0]!.tone;
  assert.deepEqual([0, 60, 61, 4_000].map(tone), ["good", "good", "warn", "warn"]);
});
