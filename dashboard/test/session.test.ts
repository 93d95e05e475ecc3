import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { ended, endWhenOver, LIFETIME_MS, resumeSession, session, signIn, signOut } from "../src/state/session";

const kept = new Map<string, string>();
Object.assign(globalThis, {
  sessionStorage: {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
    removeItem: (key: string) => kept.delete(key),
  },
});

beforeEach(() => {
  signOut();
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
});

test("a session is resumed in its tab until 12 hours have passed", () => {
  signIn("rc_1");
  session.value = null;
  mock.timers.setTime(1_000_000 + LIFETIME_MS - 1);
  resumeSession();
  assert.deepEqual(session.value, { token: "rc_1", since: 1_000_000 });
  session.value = null;
  resumeSession(1_000_000 + LIFETIME_MS);
  assert.equal(session.value, null);
  assert.equal(ended.value, "expired");
  assert.equal(kept.size, 0);
});

test("an open page signs out after 12 hours by itself, also when it was resumed", () => {
  signIn("rc_1");
  mock.timers.tick(LIFETIME_MS / 2);
  resumeSession();
  mock.timers.tick(LIFETIME_MS / 2 - 1);
  assert.equal(session.value?.token, "rc_1");
  mock.timers.tick(1);
  assert.deepEqual([session.value, ended.value, kept.size], [null, "expired", 0]);
});

test("signing out leaves nothing, and says why unless the user chose to", () => {
  signIn("rc_1");
  signOut("rejected");
  assert.deepEqual([session.value, ended.value, kept.size], [null, "rejected", 0]);
  signIn("rc_2");
  assert.equal(ended.value, null);
  signOut();
  assert.equal(ended.value, null);
  mock.timers.tick(LIFETIME_MS);
  assert.equal(ended.value, null);
});

test("a computer that slept, whose timers stood still, finds the session over", () => {
  signIn("rc_1");
  assert.equal(endWhenOver(1_000_000 + LIFETIME_MS - 1)?.token, "rc_1");
  assert.equal(endWhenOver(1_000_000 + LIFETIME_MS), null);
  assert.deepEqual([session.value, ended.value, kept.size], [null, "expired", 0]);
});
