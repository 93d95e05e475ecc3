import assert from "node:assert/strict";
import { test } from "node:test";
import { signal } from "@preact/signals";
import { currentOf, resource } from "../src/state/resource";

/** A server that answers when the test says so. */
function server() {
  const waiting = new Map<string, { resolve(value: string): void; reject(error: Error): void; signal: AbortSignal }>();
  const load = (request: string, signal: AbortSignal) =>
    new Promise<string>((resolve, reject) => waiting.set(request, { resolve, reject, signal }));
  const settle = async (act: () => void) => {
    act();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    load,
    asked: () => [...waiting.keys()],
    isAborted: (request: string) => waiting.get(request)!.signal.aborted,
    answer: (request: string, value: string) => settle(() => waiting.get(request)!.resolve(value)),
    fail: (request: string) => settle(() => waiting.get(request)!.reject(new Error("no"))),
  };
}

test("data stays while the next request is on its way, and the last request wins", async () => {
  const { load, answer, isAborted } = server();
  const request = signal("a");
  const { state, dispose } = resource(() => request.value, load);
  const now = () => state.value;
  assert.deepEqual(now(), { status: "loading", data: null, error: null, stale: false });
  await answer("a", "A");
  assert.deepEqual(now(), { status: "ready", data: "A", error: null, stale: false });
  request.value = "b";
  request.value = "c";
  assert.ok(isAborted("b"));
  assert.deepEqual(now(), { status: "loading", data: "A", error: null, stale: true });
  await answer("b", "B");
  assert.equal(now().data, "A");
  await answer("c", "C");
  assert.deepEqual(now(), { status: "ready", data: "C", error: null, stale: false });
  dispose();
});

test("an error keeps the data, and another try replaces both", async () => {
  const { load, answer, fail } = server();
  const { state, reload, dispose } = resource(() => "a", load);
  const now = () => state.value;
  await answer("a", "A");
  void reload();
  assert.equal(now().status, "ready");
  await fail("a");
  assert.deepEqual([now().status, now().data, now().error?.message, now().stale], ["failed", "A", "no", true]);
  void reload();
  await answer("a", "A2");
  assert.deepEqual(now(), { status: "ready", data: "A2", error: null, stale: false });
  dispose();
});

test("while a request is on its way, a reload waits for it", async () => {
  let count = 0;
  const { load, answer, isAborted } = server();
  const { reload, dispose } = resource(() => "a", (request, aborted) => {
    count += 1;
    return load(request, aborted);
  });
  const waiting = reload();
  assert.deepEqual([count, isAborted("a")], [1, false]);
  await answer("a", "A");
  await waiting;
  void reload();
  assert.equal(count, 2);
  dispose();
});

test("an equal request is not asked again, none is not asked, and none is asked after the end", async () => {
  const { load, asked, answer, isAborted } = server();
  const request = signal<{ name: string } | null>(null);
  const { state, dispose } = resource(() => request.value, (wanted, aborted) => load(wanted.name, aborted));
  const now = () => state.value;
  assert.deepEqual(asked(), []);
  request.value = { name: "a" };
  await answer("a", "A");
  request.value = { name: "a" };
  assert.equal(now().status, "ready");
  request.value = { name: "b" };
  dispose();
  assert.ok(isAborted("b"));
  request.value = { name: "c" };
  assert.deepEqual(asked(), ["a", "b"]);
});

test("what an older request gave is not the present one's, neither while that loads nor after it failed", async () => {
  const { load, answer, fail } = server();
  const request = signal("a");
  const { state, reload, dispose } = resource(() => request.value, load);
  const current = () => currentOf(state.value);
  assert.equal(current(), null);
  await answer("a", "A");
  assert.equal(current(), "A");
  request.value = "b";
  assert.equal(current(), null);
  await fail("b");
  assert.deepEqual([state.value.data, current()], ["A", null]);
  void reload();
  await answer("b", "B");
  assert.equal(current(), "B");
  dispose();
});
