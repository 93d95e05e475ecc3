import assert from "node:assert/strict";
import { test } from "node:test";
import { Followers, type Figures } from "../src/overview/followers";
import { randomOf } from "./random";

const MINUTE = 60_000;
const figures = (calls: number, query = "28 days"): Figures => ({ query, calls, content: String(calls) });

test("the others follow a change after a minute, or at once when the calls have doubled", () => {
  const followers = new Followers();
  assert.equal(followers.see(figures(100), 0), false);
  assert.equal(followers.see(figures(120), 5_000), false);
  assert.equal(followers.see(figures(120), MINUTE), true);
  assert.equal(followers.see(figures(120), 10 * MINUTE), false);
  assert.equal(followers.see(figures(121), 10 * MINUTE + 1), true);
  assert.equal(followers.see(figures(242), 10 * MINUTE + 2), false);
  assert.equal(followers.see(figures(243), 10 * MINUTE + 3), true);
});

test("nothing follows another query, or an answer that failed", () => {
  const followers = new Followers();
  followers.see(figures(100), 0);
  assert.equal(followers.see(null, 2 * MINUTE), false);
  assert.equal(followers.see(figures(30_000, "90 days"), 2 * MINUTE), false);
  assert.equal(followers.see(figures(30_001, "90 days"), 3 * MINUTE - 1), false);
  assert.equal(followers.see(figures(30_002, "90 days"), 3 * MINUTE), true);
});

test("however many calls there are, the others follow once a minute and once per doubling", () => {
  for (let seed = 0; seed < 100; seed += 1) {
    const random = randomOf(seed);
    const followers = new Followers();
    const start = random.pick([0, 1, 3_000, 25_000]);
    let [calls, time, followed] = [start, 0, 0];
    for (let refresh = 0; refresh < 200; refresh += 1) {
      calls += random.whole(50);
      time += 5_000;
      followed += Number(followers.see(figures(calls), time));
    }
    assert.ok(followed <= time / MINUTE + Math.log2(Math.max(1, calls)) - Math.log2(Math.max(1, start)) + 1, `${seed}: ${followed}`);
    assert.ok(followed >= 1);
  }
});
