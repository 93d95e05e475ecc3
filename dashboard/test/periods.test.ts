import assert from "node:assert/strict";
import { test } from "node:test";
import {
  addDays, boundsOf, bucketOf, bucketPeriod, isBound, isZone, lengthInDays, localDay, NAMED, narrowTo, toDays, toLocal, toRange,
} from "../src/state/periods";
import { randomOf } from "./random";

const NOW = new Date("2026-11-29T20:00:00Z");

test("a local day is the zone's", () => {
  assert.equal(localDay("UTC", NOW), "2026-11-29");
  assert.equal(localDay("Asia/Kolkata", NOW), "2026-11-30");
  assert.equal(localDay("Pacific/Kiritimati", new Date("2026-11-29T09:59:59Z")), "2026-11-29");
  assert.equal(localDay("Pacific/Kiritimati", new Date("2026-11-29T10:00:00Z")), "2026-11-30");
});

test("named periods are the API's", () => {
  const days = Object.fromEntries(NAMED.map((name) => [name, toDays(name, "UTC", NOW)]));
  assert.deepEqual(days, {
    today: { from: "2026-11-29", to: "2026-11-29" },
    yesterday: { from: "2026-11-28", to: "2026-11-28" },
    last_7_days: { from: "2026-11-23", to: "2026-11-29" },
    last_28_days: { from: "2026-11-02", to: "2026-11-29" },
    last_90_days: { from: "2026-09-01", to: "2026-11-29" },
    this_month: { from: "2026-11-01", to: "2026-11-30" },
    last_month: { from: "2026-10-01", to: "2026-10-31" },
  });
  assert.deepEqual(toDays("last_month", "UTC", new Date("2024-03-31T12:00:00Z")), { from: "2024-02-01", to: "2024-02-29" });
});

test("adding days follows the calendar, also when the clocks change", () => {
  for (let seed = 0; seed < 500; seed += 1) {
    const random = randomOf(seed);
    const start = `${1990 + random.whole(60)}-0${1 + random.whole(9)}-1${random.whole(10)}`;
    const days = random.whole(800) - 400;
    const moved = new Date(Number(start.slice(0, 4)), Number(start.slice(5, 7)) - 1, Number(start.slice(8)) + days, 12);
    const expected = [moved.getFullYear(), moved.getMonth() + 1, moved.getDate()]
      .map((part) => String(part).padStart(2, "0")).join("-");
    assert.equal(addDays(start, days), expected);
    assert.equal(addDays(addDays(start, days), -days), start);
    assert.equal(lengthInDays({ from: start, to: addDays(start, Math.abs(days)) }, "UTC", NOW), Math.abs(days) + 1);
  }
});

test("the bucket suits the length", () => {
  const bucket = (days: number) => bucketOf({ from: "2020-01-01", to: addDays("2020-01-01", days - 1) }, "UTC", NOW);
  assert.deepEqual([1, 2, 3, 100, 101, 750, 751, 9_000].map(bucket),
    ["hour", "hour", "day", "day", "week", "week", "month", "month"]);
});

test("a bucket's period covers it", () => {
  assert.deepEqual(bucketPeriod("2026-10-25T02:00:00+02:00", "hour"),
    { from: "2026-10-25T02:00:00+02:00", to: "2026-10-25T02:59:59+02:00" });
  assert.deepEqual(bucketPeriod("2026-10-25T02:00:00Z", "hour"), { from: "2026-10-25T02:00:00Z", to: "2026-10-25T02:59:59Z" });
  assert.deepEqual(bucketPeriod("2026-11-01", "day"), { from: "2026-11-01", to: "2026-11-01" });
  assert.deepEqual(bucketPeriod("2026-12-28", "week"), { from: "2026-12-28", to: "2027-01-03" });
  assert.deepEqual(bucketPeriod("2028-02-01", "month"), { from: "2028-02-01", to: "2028-02-29" });
});

test("a bucket that stands out of the period is cut to it", () => {
  const period = { from: "2026-01-07", to: "2026-11-24" };
  const narrowed = (label: string, bucket: "week" | "month" | "day") => narrowTo(label, bucket, period, "UTC", NOW);
  assert.deepEqual(narrowed("2026-01-05", "week"), { from: "2026-01-07", to: "2026-01-11" });
  assert.deepEqual(narrowed("2026-11-23", "week"), { from: "2026-11-23", to: "2026-11-24" });
  assert.deepEqual(narrowed("2026-11-01", "month"), { from: "2026-11-01", to: "2026-11-24" });
  assert.deepEqual(narrowed("2026-05-04", "week"), { from: "2026-05-04", to: "2026-05-10" });
  assert.deepEqual(narrowTo("2026-11-29T20:00:00Z", "hour", "today", "UTC", NOW),
    { from: "2026-11-29T20:00:00Z", to: "2026-11-29T20:59:59Z" });
});

test("a bucket that stands out of a period with hours is cut to the hours", () => {
  const narrowed = (label: string, bucket: "hour" | "day" | "week", from: string, to: string) =>
    narrowTo(label, bucket, { from, to }, "Europe/Berlin", NOW);
  const local = ["2026-11-02T10:30:00", "2026-11-12T18:15:00"] as const;
  assert.deepEqual(narrowed("2026-11-02", "day", ...local), { from: local[0], to: "2026-11-02" });
  assert.deepEqual(narrowed("2026-11-12", "day", ...local), { from: "2026-11-12", to: local[1] });
  assert.deepEqual(narrowed("2026-11-02T10:00:00+01:00", "hour", ...local), { from: local[0], to: "2026-11-02T10:59:59+01:00" });
  assert.deepEqual(narrowed("2026-11-09", "week", ...local), { from: "2026-11-09", to: local[1] });
  // 23:30 UTC is the next day in Berlin.
  const instants = ["2026-11-01T23:30:00Z", "2026-11-03T23:30:00Z"] as const;
  assert.deepEqual(narrowed("2026-11-02", "day", ...instants), { from: instants[0], to: "2026-11-02" });
  assert.deepEqual(narrowed("2026-11-03", "day", ...instants), { from: "2026-11-03", to: "2026-11-03" });
  // Half past two comes twice, and the second hour is not cut at the first one's minute.
  assert.deepEqual(narrowed("2026-10-25T02:00:00+01:00", "hour", "2026-10-25T02:30:00+02:00", "2026-10-25T23:59:59+01:00"),
    { from: "2026-10-25T02:00:00+01:00", to: "2026-10-25T02:59:59+01:00" });
});

test("bounds with an offset are local times of another zone, others are local everywhere", () => {
  const hour = { from: "2026-11-10T23:00:00+01:00", to: "2026-11-10T23:59:59+01:00" };
  assert.equal(toLocal(hour.from, "Europe/Berlin"), "2026-11-10T23:00:00");
  assert.equal(toLocal(hour.from, "Asia/Kolkata"), "2026-11-11T03:30:00");
  assert.equal(toLocal("2026-11-10T23:00:00", "Asia/Kolkata"), "2026-11-10T23:00:00");
  assert.equal(toLocal("2026-11-10", "Asia/Kolkata"), "2026-11-10");
  assert.deepEqual(toDays(hour, "Asia/Kolkata", NOW), { from: "2026-11-11", to: "2026-11-11" });
});

test("requests keep the hours of a period", () => {
  const hours = { from: "2026-11-10T13:00:00+01:00", to: "2026-11-10T13:59:59+01:00" };
  assert.deepEqual(boundsOf(hours, "Europe/Berlin", NOW), hours);
  assert.deepEqual(boundsOf("yesterday", "Europe/Berlin", NOW), { from: "2026-11-28", to: "2026-11-28" });
});

test("bounds and zones are checked before they are in a query", () => {
  for (const good of ["2026-11-01", "2026-11-01T13:00:00", "2026-11-01T13:00:00Z", "2026-11-01T13:00:00.5+05:30"]) {
    assert.ok(isBound(good), good);
  }
  for (const bad of ["", "2026-13-01", "2026-11-1", "2026-11-01 13:00:00", "2026-11-01T25:00:00", "now"]) {
    assert.ok(!isBound(bad), bad);
  }
  assert.ok(isZone("Asia/Kolkata") && !isZone("Asia/Nowhere") && !isZone(""));
});

test("a period is a part of a body", () => {
  assert.deepEqual(toRange("today", "UTC"), { period: "today", timezone: "UTC" });
  assert.deepEqual(toRange({ from: "2026-11-01", to: "2026-11-02" }, "UTC"), { from: "2026-11-01", to: "2026-11-02", timezone: "UTC" });
});
