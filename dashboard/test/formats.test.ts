import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import { changeOf } from "../src/format/change";
import { bucketName, formatAgo, formatInstant, hourName, hourTick, labelDate, offsetName, weekdayName } from "../src/format/dates";
import { formatDuration, formatRoundDuration } from "../src/format/durations";
import { formatBrief, formatTick, formatValue } from "../src/format/numbers";
import { periodName } from "../src/format/periods";
import { randomOf } from "./random";

const plain = (text: string) => text.replace(/[\u00a0\u202f\u2009]/g, " ");

test("a value has the digits that people read, and a tiny one is never 0", () => {
  const cases: [number | null | undefined, Parameters<typeof formatValue>[1], string][] = [
    [3002, "count", "3,002"],
    [1_234_567, "count", "1,234,567"],
    [0.004, "count", "0.004"],
    [-0, "count", "0"],
    [42.857, "percent", "42.86%"],
    [100, "percent", "100%"],
    [1234.5, "money", "1,234.50"],
    [0.004, "money", "0.004"],
    [0.000123, "money", "0.00012"],
    [0, "money", "0.00"],
    [0.4, "score", "0.40"],
    [-0.412, "score", "-0.412"],
    [null, "count", "–"],
    [undefined, "seconds", "–"],
  ];
  for (const [value, unit, text] of cases) assert.equal(plain(formatValue(value, unit)), text);
});

test("brief and ticks shorten what is long", () => {
  assert.equal(formatBrief(999_999, "count"), "999,999");
  assert.match(formatBrief(1_234_567, "count"), /^1\.23.?[mM]$/);
  assert.equal(formatBrief(1_234_567, "percent"), formatValue(1_234_567, "percent"));
  assert.match(formatTick(12_500, "count"), /^12\.5.?[kK]$/);
  assert.equal(formatTick(1500, "count"), "1,500");
  assert.equal(plain(formatTick(5400, "seconds")), "1 h 30 m");
  assert.equal(formatTick(0, "seconds"), "0");
});

test("a duration reads back as the seconds it was made from", () => {
  const random = randomOf(14);
  const read = (text: string) => {
    const parts = plain(text).replaceAll(",", "").matchAll(/([\d.]+) ([hms])/g);
    return [...parts].reduce((sum, [, size, unit]) => sum + Number(size) * { h: 3600, m: 60, s: 1 }[unit as "h" | "m" | "s"], 0);
  };
  for (let round = 0; round < 2000; round += 1) {
    const seconds = random.whole(36_000_000) / 100;
    const text = formatDuration(seconds);
    const exact = seconds < 59.995 ? 0.005 : 0.5;
    assert.ok(Math.abs(read(text) - seconds) <= exact + 1e-9, `${seconds} is not ${text}`);
    assert.ok(!/\b60 [ms]/.test(plain(text)), text);
  }
  for (const [seconds, text] of [[65, "1 m 05 s"], [59.996, "1 m 00 s"], [59.99, "59.99 s"], [0.004, "0.004 s"], [3725, "1 h 02 m 05 s"], [3599.6, "1 h 00 m 00 s"], [4_442_709, "1,234 h 05 m"], [0, "0 s"]] as const) {
    assert.equal(plain(formatDuration(seconds)), text);
  }
  assert.equal(plain(formatRoundDuration(7200)), "2 h");
});

test("the browser's zone never moves a bucket's label", () => {
  const zones = ["UTC", "Pacific/Kiritimati", "America/Los_Angeles", "Asia/Kolkata", "Europe/Berlin"];
  const before = process.env["TZ"];
  try {
    const texts = zones.map((zone) => {
      process.env["TZ"] = zone;
      return [
        bucketName("2026-10-25", "day"),
        bucketName("2026-10-25T02:00:00+01:00", "hour"),
        bucketName("2026-11-09", "week"),
        bucketName("2026-11-01", "month"),
        hourName(23),
        weekdayName(1, "long"),
        labelDate("2026-10-25T02:00:00+01:00").toISOString(),
      ].map(plain);
    });
    for (const text of texts) assert.deepEqual(text, texts[0]);
    const [day, hour, week, month, last, monday, date] = texts[0]!;
    assert.deepEqual([day, week, month, monday], ["Sunday 25 October", "week of 9 November", "November 2026", "Monday"]);
    assert.match(hour!, /^Sun,? 25 Oct, 0?2:00 ?– ?0?3:00$/);
    assert.match(last!, /^23:00–0?0:00$/);
    assert.equal(date, "2026-10-25T02:00:00.000Z");
  } finally {
    if (before === undefined) delete process.env["TZ"];
    else process.env["TZ"] = before;
  }
});

test("weekdays begin with Monday, hours are the locale's, offsets are the label's", () => {
  assert.deepEqual([1, 2, 3, 4, 5, 6, 7].map((day) => weekdayName(day, "short")), ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]);
  assert.deepEqual([0, 9, 13].map(hourTick), ["00", "09", "13"]);
  assert.deepEqual(["2026-10-25T02:00:00+02:00", "2026-01-01T00:00:00Z"].map(offsetName), ["UTC+02:00", "UTC"]);
});

test("an instant is shown in the view's zone", () => {
  const instant = "2026-11-10T20:30:05.000Z";
  assert.equal(formatInstant(instant, "Asia/Kolkata", "time"), "02:00");
  assert.equal(formatInstant(instant, "America/New_York", "time"), "15:30");
  assert.match(plain(formatInstant(instant, "Asia/Kolkata")), /^11 Nov 2026, 02:00$/);
  assert.match(formatInstant(instant, "Europe/Berlin", "full"), /Tue.*10 Nov 2026.*21:30:05.*(CET|GMT\+1)/);
});

test("how long ago is in whole units, and never in the future", () => {
  const now = Date.parse("2026-11-10T12:00:00Z");
  const ago = (seconds: number) => formatAgo(now - seconds * 1000, now);
  assert.deepEqual([3, 59, 60, 3599, 3600, 90_000].map(ago).map((text) => /\d+/.exec(text)![0]), ["3", "59", "1", "59", "1", "1"]);
  assert.equal(ago(-5), ago(0));
});

test("a change is the same in its arrow, its sign and its words", () => {
  const cases: [number | null, number | null | undefined, Parameters<typeof changeOf>[2], string, string, string][] = [
    [112, 100, "count", "↑", "+12%", "12% more than before (100)"],
    [88, 100, "count", "↓", "-12%", "12% less than before (100)"],
    [1005, 1000, "count", "↑", "+0.5%", "0.5% more than before (1,000)"],
    [100, 100, "count", "→", "±0", "the same as before (100)"],
    [1_000_001, 1_000_000, "count", "↑", "+0.0001%", "0.0001% more than before (1,000,000)"],
    [5, 0, "count", "↑", "new", "none before"],
    [0, 0, "count", "→", "±0", "the same as before (0)"],
    [0, 7, "count", "↓", "-100%", "100% less than before (7)"],
    [500, 10, "count", "↑", "×50", "50 times as much as before (10)"],
    [52.5, 50, "percent", "↑", "+2.5 pp", "2.5 percentage points more than before (50%)"],
    [51, 50, "percent", "↑", "+1 pp", "1 percentage point more than before (50%)"],
    [-0.1, 0.2, "score", "↓", "-0.3", "0.3 less than before (0.20)"],
    [null, 5, "count", "", "", "nothing to compare with"],
    [5, null, "count", "", "", "nothing to compare with"],
    [5, undefined, "count", "", "", "nothing to compare with"],
  ];
  for (const [value, previous, unit, arrow, text, words] of cases) {
    const change = changeOf(value, previous, unit);
    assert.deepEqual([change.arrow, plain(change.text), plain(change.words)], [arrow, text, words]);
  }
});

test("a change that there is never reads as none", () => {
  const random = randomOf(3);
  for (let round = 0; round < 2000; round += 1) {
    const unit = random.pick(["count", "percent", "seconds", "money", "score"] as const);
    const value = random.whole(10 ** (1 + random.whole(8))) / 100;
    const previous = random.pick([value, random.whole(10 ** (1 + random.whole(8))) / 100]);
    const { direction, arrow, text } = changeOf(value, previous, unit);
    assert.equal(direction, value > previous ? "up" : value < previous ? "down" : "same");
    assert.equal(arrow, { up: "↑", down: "↓", same: "→", none: "" }[direction]);
    if (direction === "same") assert.equal(text, "±0");
    else assert.ok(/[1-9]/.test(text) || text === "new", `${previous} to ${value} ${unit}: ${text}`);
    if (direction === "down") assert.match(text, /^-/);
  }
});

test("an hour has its name in the zone of the view, whichever zone it was chosen in", () => {
  const name = (from: string, to: string, zone: string) => plain(periodName({ from, to }, zone)).replace(/ ?– ?/g, "–");
  const hour = ["2026-11-10T13:00:00+01:00", "2026-11-10T13:59:59+01:00"] as const;
  assert.equal(name(...hour, "Europe/Berlin"), "Tue 10 Nov, 13:00–14:00");
  assert.equal(name(...hour, "UTC"), "Tue 10 Nov, 12:00–13:00");
  assert.equal(name(...hour, "Asia/Kolkata"), "10 Nov 2026, 17:30–18:30");
  assert.equal(name(...hour, "Pacific/Auckland"), "Wed 11 Nov, 01:00–02:00");
});

test("a custom period is named by its days, and by its times where it has them", () => {
  const name = (from: string, to: string) => plain(periodName({ from, to }, "UTC")).replace(/ ?– ?/g, "–");
  assert.match(name("2026-11-10", "2026-11-10"), /^Tuesday,? 10 November 2026$/);
  assert.equal(name("2026-11-10", "2026-12-01"), "10 Nov 2026–1 Dec 2026");
  assert.equal(name("2026-11-10T10:30:00", "2026-11-10T12:15:00"), "10 Nov 2026, 10:30–12:15");
  assert.equal(name("2026-11-10", "2026-11-12T18:14:59"), "10 Nov 2026, 00:00–12 Nov 2026, 18:15");
});
