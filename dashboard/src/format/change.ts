import { t } from "../text";
import { decimal } from "./decimal";
import { formatValue, type Unit } from "./numbers";

/**
 * A value against its comparison, in three signs that each stand alone: an arrow, a signed text for
 * the eye, and words for a sentence or a screen reader. `direction` is "none" where there is
 * nothing to compare with; then `arrow` and `text` are empty.
 */
export interface Change {
  direction: "up" | "down" | "same" | "none";
  arrow: string;
  text: string;
  words: string;
}

const ARROWS = { up: "↑", down: "↓", same: "→", none: "" };

/**
 * Counts, money and durations change in percent (from ten times on, as a factor), percents in
 * percentage points, and scores by their difference, for they may be negative.
 */
export function changeOf(value: number | null | undefined, previous: number | null | undefined, unit: Unit): Change {
  if (value == null || previous == null) return change("none", "", t("chart.change.none"));
  const before = formatValue(previous, unit);
  if (value === previous) return change("same", signed(0), t("chart.change.same", { before }));
  const direction = value > previous ? "up" : "down";
  const key = direction === "up" ? "chart.change.more" : "chart.change.less";
  const difference = value - previous;
  if (unit === "percent") {
    const points = round(difference, 2);
    return change(direction, `${signed(points)} ${t("chart.change.pp")}`,
      t(key, { by: t("chart.change.points", { n: decimal(Math.abs(points)), count: Math.abs(points) }), before }));
  }
  if (unit === "score" || previous < 0) {
    const points = round(difference, 3);
    return change(direction, signed(points, 3), t(key, { by: decimal(Math.abs(points), { maximumFractionDigits: 3 }), before }));
  }
  if (previous === 0) return change(direction, t("chart.change.new"), t("chart.change.from_zero"));
  const ratio = value / previous;
  if (ratio >= 10) {
    const times = decimal(ratio, { maximumFractionDigits: 0 });
    return change(direction, `×${times}`, t("chart.change.times", { times, before }));
  }
  const part = difference / previous;
  const text = percent(part, "exceptZero");
  return change(direction, text, t(key, { by: percent(Math.abs(part), "auto"), before }));
}

function change(direction: Change["direction"], text: string, words: string): Change {
  return { direction, arrow: ARROWS[direction], text, words };
}

/** Whole percents from ten on, one decimal below, and two digits of what is smaller than a tenth. */
function percent(part: number, signDisplay: "exceptZero" | "auto"): string {
  const size = Math.abs(part);
  const digits: Intl.NumberFormatOptions =
    size >= 0.0995 ? { maximumFractionDigits: 0 }
    : size >= 0.001 ? { maximumFractionDigits: 1 }
    : { maximumSignificantDigits: 1 };
  return decimal(part, { style: "percent", signDisplay, ...digits });
}

function signed(value: number, places = 2): string {
  return value === 0 ? `±${decimal(0)}` : decimal(value, { signDisplay: "always", maximumFractionDigits: places });
}

function round(value: number, places: number): number {
  return Number(value.toFixed(places));
}
