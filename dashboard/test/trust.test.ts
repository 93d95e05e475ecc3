import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import { signal } from "@preact/signals";
import type { Trust } from "../src/api/client";
import type { Audit } from "../src/api/types";
import type { TrustSource } from "../src/overview/data";
import { readingOf, trustParts, type Reading } from "../src/overview/trust";
import { en } from "../src/text/en";

const NOW = Date.parse("2026-11-29T20:00:00Z");
const READING: Reading = { status: "ready", items: 56, units: 14, asOf: new Date(NOW - 3_000) };
const AUDIT: Audit = {
  last_run: "2026-11-29T14:42:00Z", started_at: "2026-11-29T14:41:00Z", facts: 3000, rows: 3000, pages: 9, rollups: 700,
  drift: 0, repaired: 0, unsettled: 0, exact: true,
};
const trust = (items: number, seconds: number | null): Trust =>
  ({ source: null, items, units: items / 2, asOf: seconds === null ? null : new Date(NOW - seconds * 1000) });

function sourceOf(trusts: Trust[], error: Error | null = null): TrustSource {
  const state = signal({ status: error === null ? "loading" : "failed", data: null, error, stale: false });
  return { calls: { state }, trusts: () => trusts } as unknown as TrustSource;
}

const audited = (audit: Partial<Audit> | null, error: Error | null = null, reading = READING) => {
  const data = audit === null ? null : { ...AUDIT, ...audit };
  const parts = trustParts(reading, { status: "ready", data, error, stale: false }, "UTC", NOW);
  return { exact: parts.find(({ mark }) => mark === "exact")!, audit: parts.find(({ mark }) => mark === "audit")! };
};

test("what was read is the sum of the answers, and as new as the newest", () => {
  const { status, items, units, asOf } = readingOf(sourceOf([trust(2, 9), trust(4, 7), trust(8, null)]));
  assert.deepEqual([status, items, units, asOf?.getTime()], ["ready", 14, 7, NOW - 7_000]);
  assert.equal(readingOf(sourceOf([trust(2, null)])).asOf, null);
  assert.deepEqual(readingOf(sourceOf([])), { status: "loading", items: 0, units: 0, asOf: null });
  assert.equal(readingOf(sourceOf([], new Error("no"))).status, "failed");
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
  const first = (one: Reading) => trustParts(one, { status: "ready", data: AUDIT, error: null, stale: false }, "UTC", NOW)[0]!;
  assert.equal(first({ ...READING, status: "loading" }).why, en["trust.why.loading"]);
  const failed = first(readingOf(sourceOf([], new Error("no"))));
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
