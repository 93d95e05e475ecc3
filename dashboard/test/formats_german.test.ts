import "./browser_german";
import assert from "node:assert/strict";
import { test } from "node:test";
import { changeOf } from "../src/format/change";
import { bucketName, hourTick, weekdayName } from "../src/format/dates";
import { formatValue } from "../src/format/numbers";

const plain = (text: string) => text.replace(/[\u00a0\u202f\u2009]/g, " ");

test("numbers, dates and words are German in a German browser", () => {
  assert.equal(formatValue(1_234_567.5, "count"), "1.234.567,5");
  assert.equal(plain(formatValue(42.86, "percent")), "42,86 %");
  assert.equal(plain(formatValue(42.5, "seconds")), "42,5 s");
  assert.equal(bucketName("2026-11-10", "day"), "Dienstag, 10. November");
  assert.equal(bucketName("2026-11-09", "week"), "Woche vom 9. November");
  assert.equal(hourTick(9), "09");
  assert.equal(weekdayName(3, "short"), "Mi");
  assert.equal(plain(changeOf(52.5, 50, "percent").words), "2,5 Prozentpunkte mehr als zuvor (50 %)");
});
