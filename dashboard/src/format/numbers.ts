import { decimal } from "./decimal";
import { formatDuration, formatRoundDuration } from "./durations";

/** What a number counts. A percent is 0 to 100, as the API gives it; seconds may have decimals. */
export type Unit = "count" | "percent" | "seconds" | "money" | "score";

const NONE = "–";

/** The value with all digits that people read: in tables, names and tooltips. A dash for null. */
export function formatValue(value: number | null | undefined, unit: Unit): string {
  if (value == null) return NONE;
  switch (unit) {
    case "count":
      return decimal(value, digits(value, 2));
    case "percent":
      return decimal(value / 100, { style: "percent", maximumFractionDigits: 2 });
    case "seconds":
      return formatDuration(value);
    case "money":
      return decimal(value, { minimumFractionDigits: 2, ...digits(value, 2) });
    case "score":
      return decimal(value, { minimumFractionDigits: 2, maximumFractionDigits: 3 });
  }
}

/** The value where space is short: as `formatValue`, but counts and money of a million and more are "1.23M". */
export function formatBrief(value: number | null | undefined, unit: Unit): string {
  const isLong = value != null && (unit === "count" || unit === "money") && Math.abs(value) >= 1e6;
  return isLong ? decimal(value, { notation: "compact", maximumSignificantDigits: 3 }) : formatValue(value, unit);
}

/** The label of a tick: round values only, so it has no more digits than the value needs. */
export function formatTick(value: number, unit: Unit): string {
  switch (unit) {
    case "percent":
      return decimal(value / 100, { style: "percent", maximumFractionDigits: 2 });
    case "seconds":
      return formatRoundDuration(value);
    default:
      return Math.abs(value) >= 1e4
        ? decimal(value, { notation: "compact", maximumSignificantDigits: 3 })
        : decimal(value, { maximumSignificantDigits: 4 });
  }
}

/** Two decimals, or two digits of what is smaller than a hundredth: 0.004 never reads as 0. */
function digits(value: number, places: number): Intl.NumberFormatOptions {
  return value !== 0 && Math.abs(value) < 0.01
    ? { minimumFractionDigits: 0, maximumFractionDigits: 20, maximumSignificantDigits: 2 }
    : { maximumFractionDigits: places };
}
