import assert from "node:assert/strict";
import { test } from "node:test";
import { CallPages, type CallPage } from "../src/drawer/call_pages";

/** A list of `total` numbers in pages of `size`, whose cursor is the first number of the next page. */
function numbers(total: number, size: number) {
  return async (cursor: string | null): Promise<CallPage<number>> => {
    const start = cursor === null ? 0 : Number(cursor);
    const end = Math.min(start + size, total);
    return { calls: range(start, end), next: end < total ? String(end) : null };
  };
}

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index);
}

/** An answer that the test gives when it wants to. */
function answerLater() {
  let resolve!: (page: CallPage<number>) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<CallPage<number>>((...functions) => ([resolve, reject] = functions));
  return { promise, resolve, reject };
}

test("all pages together are the list, for every size of a page", async () => {
  for (const total of [0, 1, 9, 10, 11, 37]) {
    for (const size of [1, 3, 10, 50]) {
      const pages = new CallPages<number>();
      await pages.start(numbers(total, size));
      while (pages.hasMore.value) await pages.more();
      assert.deepEqual(pages.calls.value, range(0, total));
      assert.equal(pages.status.value, "ready");
    }
  }
});

test("asking twice at once loads one page", async () => {
  const pages = new CallPages<number>();
  await pages.start(numbers(30, 10));
  await Promise.all([pages.more(), pages.more(), pages.more()]);
  assert.deepEqual(pages.calls.value, range(0, 20));
});

test("the late answer of another list changes nothing, and its request is aborted", async () => {
  const pages = new CallPages<number>();
  const late = answerLater();
  let aborted = false;
  const first = pages.start((_cursor, signal) => {
    signal.addEventListener("abort", () => (aborted = true));
    return late.promise;
  });
  await pages.start(numbers(3, 10));
  late.resolve({ calls: [99], next: "more" });
  await first;
  assert.equal(aborted, true);
  assert.deepEqual(pages.calls.value, [0, 1, 2]);
  assert.equal(pages.hasMore.value, false);
});

test("the late failure of another list is no failure of this one", async () => {
  const pages = new CallPages<number>();
  const late = answerLater();
  const first = pages.start(() => late.promise);
  await pages.start(numbers(3, 10));
  late.reject(new Error("aborted"));
  await first;
  assert.equal(pages.status.value, "ready");
  assert.equal(pages.error.value, null);
});

test("a failure keeps the calls, and a retry goes on where it failed", async () => {
  const pages = new CallPages<number>();
  const works = numbers(25, 10);
  const failure = new Error("503");
  let broken = false;
  await pages.start((cursor) => (broken ? Promise.reject(failure) : works(cursor)));
  broken = true;
  await pages.more();
  assert.equal(pages.status.value, "failed");
  assert.equal(pages.error.value, failure);
  assert.deepEqual(pages.calls.value, range(0, 10));
  await pages.more();
  assert.equal(pages.status.value, "failed");
  broken = false;
  await pages.retry();
  await pages.more();
  assert.deepEqual(pages.calls.value, range(0, 25));
});
