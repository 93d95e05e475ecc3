import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import { axisOf } from "../src/charts/distribution";
import { areaPath, barPath, linear, linePath, lonePath, stepPath, valueTicks, type Place } from "../src/charts/geometry";
import { nextIndex } from "../src/charts/hooks";
import { axisLabels, left, right } from "../src/charts/time_axis";
import type { Bucket, Unit } from "../src/charts/types";
import { randomOf } from "./random";

const UNITS: Unit[] = ["count", "percent", "seconds", "money", "score"];

test("value ticks are even, hold all values and zero, and are few", () => {
  const random = randomOf(1);
  for (let round = 0; round < 1000; round += 1) {
    const unit = random.pick(UNITS);
    const size = 10 ** (random.whole(12) - 4);
    const high = unit === "percent" ? random.whole(10_001) / 100 : random.whole(1000) * size;
    const low = unit === "score" ? -random.whole(1000) * size : random.pick([0, high / 2]);
    const ticks = valueTicks(low, high, unit);
    const [first, last] = [ticks[0]!, ticks.at(-1)!];
    const step = (last - first) / (ticks.length - 1);
    const slack = step * 1e-6;
    assert.ok(ticks.includes(0) && first <= low + slack && last >= high - slack, `${low} to ${high}: ${ticks}`);
    assert.ok(ticks.length >= 2 && ticks.length <= 9, `${low} to ${high} ${unit}: ${ticks}`);
    ticks.forEach((tick, index) => assert.ok(Math.abs(tick - (first + index * step)) <= slack));
    if (unit === "count" && high >= 1) assert.ok(ticks.every(Number.isInteger), `${high}: ${ticks}`);
    if (unit === "percent") assert.ok(last <= 100);
  }
});

test("value ticks are round in the unit that people count in", () => {
  assert.deepEqual(valueTicks(0, 0, "count"), [0, 1]);
  assert.deepEqual(valueTicks(0, 0, "percent").at(-1), 100);
  assert.deepEqual(valueTicks(0, 3, "count"), [0, 1, 2, 3]);
  assert.deepEqual(valueTicks(0, 400, "seconds"), [0, 120, 240, 360, 480]);
  assert.deepEqual(valueTicks(0, 0.3, "money"), [0, 0.1, 0.2, 0.3]);
  assert.deepEqual(valueTicks(-0.9, 0.9, "score"), [-1, -0.5, 0, 0.5, 1]);
});

/** Labels of `count` buckets from a day on, as the API writes them. */
function labelsOf(bucket: Bucket, start: number, count: number): string[] {
  const first = new Date(start);
  return Array.from({ length: count }, (_, index) => {
    if (bucket === "month") return new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + index)).toISOString().slice(0, 10);
    const hours = { hour: 1, day: 24, week: 168 }[bucket];
    const text = new Date(start + index * hours * 3_600_000).toISOString();
    return bucket === "hour" ? `${text.slice(0, 19)}+05:30` : text.slice(0, 10);
  });
}

test("labels of the time axis never touch, never leave the axis, and the first is marked", () => {
  const random = randomOf(2);
  for (let round = 0; round < 500; round += 1) {
    const bucket = random.pick(["hour", "day", "week", "month"] as const);
    const count = 1 + random.whole(400);
    const start = Date.UTC(2024, 0, 1 + random.whole(900));
    const width = 120 + random.whole(1400);
    const names = labelsOf(bucket, start, count);
    const labels = axisLabels(names, bucket, width);
    const where = `${bucket} ${count} from ${names[0]} on ${width}`;
    assert.ok(labels.length >= 1 && labels.length <= 31, where);
    assert.ok(labels[0]!.marked || /^\d{4}$/.test(labels[0]!.text), where);
    for (const [index, label] of labels.entries()) {
      assert.ok(left(label) >= -1e-9 && right(label) <= width + 1e-9, `${where}: ${label.text}`);
      const before = labels[index - 1];
      if (before) assert.ok(right(before) + 8 <= left(label) && before.index < label.index, `${where}: ${before.text}, ${label.text}`);
    }
  }
});

test("a label says the bucket that it stands at, and marks the first of a month or a day", () => {
  const days = labelsOf("day", Date.UTC(2026, 10, 15), 28);
  const texts = axisLabels(days, "day", 1200).map(({ text, marked, index }) => `${days[index]!.slice(8)} ${text}${marked ? "*" : ""}`);
  assert.equal(texts.length, 28);
  assert.deepEqual([texts[0], texts[1], texts[16], texts[17]], ["15 15 Nov*", "16 16", "01 1 Dec*", "02 2"]);
  const hours = labelsOf("hour", Date.UTC(2026, 10, 27), 48);
  const marked = axisLabels(hours, "hour", 900).filter((label) => label.marked).map(({ index }) => hours[index]!.slice(0, 13));
  assert.deepEqual(marked, ["2026-11-27T00", "2026-11-28T00"]);
  const months = labelsOf("month", Date.UTC(2026, 10, 1), 4);
  assert.deepEqual(axisLabels(months, "month", 900).map(({ text }) => text), ["Nov 2026", "Dec", "Jan 2027", "Feb"]);
  assert.deepEqual(axisLabels([], "day", 900), []);
});

test("no line crosses a gap", () => {
  const at = (ys: (number | null)[]): Place[] => ys.map((y, index) => ({ x: index * 10, y }));
  assert.equal(linePath(at([1, 2, null, 3, 4])), "M0,1L10,2M30,3L40,4");
  assert.equal(stepPath(at([1, null, 3]), 10), "M-5,1V1H5M15,3V3H25");
  assert.equal(areaPath(at([1, 2, null, 3]), 9), "M0,9L0,1L10,2V9Z");
  assert.equal(lonePath(at([1, 2, null, 3])), "M30,3h0");
  assert.equal(linePath(at([null, null])), "");
});

test("a bar reaches from the base to its value and no bar is drawn for zero", () => {
  assert.equal(barPath(0, 10, 100, 100), "");
  const ends = (path: string) => [...path.matchAll(/V([\d.-]+)/g)].map(([, y]) => Number(y));
  for (const y of [20, 99.5, 150]) assert.equal(ends(barPath(0, 10, 100, y)).at(-1), 100);
  assert.equal(linear(0, 0, 10, 30)(5), 20);
});

test("arrow keys stay inside, and in their row", () => {
  const keys = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "x"];
  for (const [count, columns] of [[1, 0], [28, 0], [11, 1], [168, 24], [168, 7], [5, 3]] as const) {
    for (let index = 0; index < count; index += 1) {
      for (const key of keys) {
        const target = nextIndex(key, index, count, columns);
        if (target === null) continue;
        assert.ok(target >= 0 && target < count);
        if (columns > 1 && (key === "ArrowLeft" || key === "ArrowRight")) {
          assert.equal(Math.floor(target / columns), Math.floor(index / columns));
        }
      }
    }
  }
  assert.equal(nextIndex("ArrowDown", 3, 168, 24), 27);
  assert.equal(nextIndex("ArrowDown", 3, 28, 0), null);
  assert.equal(nextIndex("End", 3, 28, 0), 27);
});

test("the axis of a distribution is logarithmic only where one value dwarfs the others, and keeps their order", () => {
  const of = (values: number[]) => ["min", "p50", "p75", "p90", "p95", "p99", "max"].map((name, index) => ({ name, value: values[index]! }));
  const usual = axisOf(of([3, 65, 124, 240, 305, 480, 512]), "seconds", 300);
  const wide = axisOf(of([0, 42, 64, 140, 205, 480, 14_512]), "seconds", 300);
  assert.deepEqual([usual.isLogarithmic, wide.isLogarithmic], [false, true]);
  for (const { at } of [usual, wide]) {
    const places = [0, 1, 42, 64, 140, 205, 480].map(at);
    assert.deepEqual(places, [...places].sort((a, b) => a - b));
    assert.equal(places[0], 0);
  }
  assert.equal(wide.at(14_512), 100);
  assert.equal(axisOf(of([5, 5, 5, 5, 5, 5, 5]), "seconds", 0).ticks.length > 0, true);
});
