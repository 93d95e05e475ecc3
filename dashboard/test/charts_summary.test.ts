import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import { listOf, sortBars } from "../src/charts/bar_list";
import {
  barSummary, barTable, bucketNames, formatShare, funnelSummary, heatSummary, markSummary, timeSummary, timeTable,
} from "../src/charts/summary";
import type { Bar, Point, TimeChartProps } from "../src/charts/types";
import { formatValue } from "../src/format/numbers";
import { randomOf } from "./random";

const plain = (text: string) => text.replace(/[\u00a0\u202f\u2009]/g, " ");

function chart(values: (number | null)[], others: Partial<TimeChartProps> = {}): TimeChartProps {
  const points: Point[] = values.map((value, index) => ({
    label: new Date(Date.UTC(2026, 10, 8 + index)).toISOString().slice(0, 10), value, previous: 10, complete: index < values.length - 1,
  }));
  const total = values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
  const previousTotal = 10 * values.length;
  return { title: "Calls", unit: "count", bucket: "day", points, compared: false, total, previousTotal, onPick() {}, ...others };
}

test("the sentence of a count has the sum, the span and the greatest bucket", () => {
  assert.equal(timeSummary(chart([10, 151, 20])), "181 in 3 days, most on Monday 9 November (151).");
  assert.equal(timeSummary(chart([10, 30, 20], { compared: true })), "60 in 3 days, most on Monday 9 November (30), 100% more than before (30).");
  assert.equal(timeSummary(chart([0, 0])), "0 in 2 days.");
  assert.equal(timeSummary(chart([151])), "151 on Sunday 8 November.");
  assert.equal(timeSummary(chart([null, null])), "No data in this period.");
  assert.equal(timeSummary(chart([])), "No data in this period.");
});

test("the API's total is used where there is one: distinct leads of two days are not their sum", () => {
  const props = chart([3, 4], { total: 5, previousTotal: 4, compared: true });
  assert.equal(timeSummary(props), "5 in 2 days, most on Monday 9 November (4), 25% more than before (4).");
  const rate = chart([40, 60], { unit: "percent", total: 52.5, previousTotal: 50, compared: true });
  assert.equal(timeSummary(rate), "52.5% in 2 days, highest on Monday 9 November (60%), 2.5 percentage points more than before (50%).");
});

test("the table holds the chart's points, one row each, as the chart writes them", () => {
  const random = randomOf(5);
  for (let round = 0; round < 200; round += 1) {
    const unit = random.pick(["count", "percent", "seconds", "money", "score"] as const);
    const values = Array.from({ length: 1 + random.whole(40) }, () => random.pick([null, random.whole(100_000) / 100]));
    const props = chart(values, { unit, compared: true });
    const { columns, rows } = timeTable(props);
    assert.equal(rows.length, values.length);
    rows.forEach((row, index) => {
      assert.equal(row.length, columns.length);
      assert.equal(row[1], formatValue(values[index], unit));
      assert.equal(row[2], formatValue(10, unit));
    });
    assert.deepEqual(rows.map(([name]) => /not over yet/.test(name!)), props.points.map((point) => !point.complete));
  }
});

test("names differ where buckets do: with the year over two years, with the offset when clocks go back", () => {
  const point = (label: string): Point => ({ label, value: 1, complete: true });
  const years = bucketNames([point("2025-12-31"), point("2026-12-31")], "day");
  assert.deepEqual(years.map((name) => /\d{4}/.exec(name)?.[0]), ["2025", "2026"]);
  const hours = bucketNames(["01:00:00+02:00", "02:00:00+02:00", "02:00:00+01:00", "03:00:00+01:00"].map((time) => point(`2026-10-25T${time}`)), "hour");
  assert.equal(new Set(hours).size, 4);
  assert.deepEqual(hours.map((name) => name.includes("UTC")), [false, true, true, false]);
});

const BARS: Bar[] = [
  { key: "b", name: "busy", value: 30, share: 0.3, previous: 60 },
  { key: "a", name: "answered", value: 60, share: 0.6, previous: 30 },
  { key: "o", name: "others", value: 99, share: 0.99, previous: 1, muted: true },
  { key: "n", name: "new", value: 9, share: 0.09, previous: 0 },
  { key: "m", name: "missing", value: 1, share: 0.01, previous: null },
];

test("bars are in the order of the sort, the muted one last", () => {
  const order = (...by: [Parameters<typeof sortBars>[2], boolean]) => sortBars(BARS, "count", ...by).map((bar) => bar.key).join("");
  assert.equal(order("value", true), "abnmo");
  assert.equal(order("value", false), "mnbao");
  assert.equal(order("name", false), "abmno");
  assert.equal(order("change", true), "nabmo");
  assert.equal(order("change", false), "banmo");
  assert.equal(BARS[0]!.key, "b");
});

test("the sentence of bars is about all of them, whichever are shown", () => {
  const bars: Bar[] = Array.from({ length: 15 }, (_, index) => ({
    key: `${index}`, name: `name ${String(index).padStart(2, "0")}`, value: index + 1, share: (index + 1) / 120, previous: index % 4,
  }));
  bars.push({ key: "none", name: "No value", value: 99, share: 0.5, muted: true });
  for (const sort of ["value", "name", "change"] as const) {
    for (const descending of [true, false]) {
      const { rows, summary } = listOf({ unit: "count", bars, sort, descending, top: 10 });
      assert.equal(summary, "Most: name 14 with 15 (13%), then name 13 (14), name 12 (13).", `${sort} ${descending}`);
      assert.deepEqual(rows, [...sortBars(bars, "count", sort, descending).slice(0, 10), bars[15]]);
    }
  }
  assert.equal(listOf({ unit: "count", bars, sort: "name", descending: false, top: undefined }).rows.length, 16);
});

test("the sentences of the other charts name what is greatest", () => {
  assert.equal(barSummary("count", BARS), "Most: answered with 60 (60%), then busy (30), new (9).");
  assert.equal(barSummary("count", []), "No data in this period.");
  assert.equal(barSummary("count", [{ key: "a", name: "a", value: 0, share: 0, previous: 3 }]), "No data in this period.");
  assert.deepEqual(barTable("Status", "count", BARS).rows[0]!.map(plain), ["busy", "30", "30%", "60", "↓ -50%"]);
  const cells = [{ hour: 13, weekday: 2, value: 5 }, { hour: 9, weekday: 3, value: 4 }, { hour: 10, weekday: 3, value: 4 }];
  assert.match(heatSummary("count", cells), /^Most on Tuesday, 13:00.14:00 \(5\); the busiest day is Wednesday \(8\)\.$/);
  assert.equal(heatSummary("count", []), "No data in this period.");
  const stages = [{ key: "c", name: "Calls", value: 200 }, { key: "l", name: "Leads", value: 50 }, { key: "w", name: "Won", value: 5 }];
  assert.equal(funnelSummary(stages), "Of 200, 2.5% reach the last step (5).");
  assert.equal(funnelSummary([]), "No data in this period.");
  const marks = [{ name: "p50", value: 65 }, { name: "p90", value: 120 }, { name: "max", value: 125 }];
  assert.equal(plain(markSummary("seconds", marks)), "Half are at most 1 m 05 s, nine of ten at most 2 m 00 s, the longest is 2 m 05 s.");
});

test("a share is never 0% where there is one, and never 100% where something is missing", () => {
  for (const share of [0.5, 0.04, 0.0004, 0.0000004]) assert.match(formatShare(share), /[1-9]/);
  assert.equal(formatShare(0), "0%");
  assert.equal(formatShare(1), "100%");
  for (const share of [0.996, 0.9999, 0.99999]) assert.notEqual(formatShare(share), "100%");
});
