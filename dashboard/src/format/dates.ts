import { language, locale, t } from "../text";

export type Bucket = "hour" | "day" | "week" | "month";

const HOUR = 3_600_000;
const made = new Map<string, Intl.DateTimeFormat>();

function dateFormat(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = zone + JSON.stringify(options);
  let format = made.get(key);
  if (!format) made.set(key, (format = new Intl.DateTimeFormat(locale, { timeZone: zone, ...options })));
  return format;
}

/**
 * The date and time that a bucket's label says, as if it were UTC. Labels are local to the view's
 * zone already: an offset at the end is left out, and the browser's zone never moves them.
 */
export function labelDate(label: string): Date {
  return new Date(`${label.slice(0, 10)}T${label.slice(11, 16) || "00:00"}:00Z`);
}

/** Formats what `labelDate` gave. */
export function formatLabel(date: Date, options: Intl.DateTimeFormatOptions): string {
  return dateFormat("UTC", options).format(date);
}

/** From one time to another, both from `labelDate`: "9 Nov 2026, 13:30 – 14:30". */
export function formatTimes(from: Date, to: Date): string {
  const format = { day: "numeric", month: "short", year: "numeric", hour: "numeric", minute: "2-digit" } as const;
  return dateFormat("UTC", format).formatRange(from, to);
}

/** "Tue 10 Nov, 13:00–14:00", "Tuesday 10 November", "week of 9 November", "November 2026". */
export function bucketName(label: string, bucket: Bucket, withYear = false): string {
  const date = labelDate(label);
  const year = withYear ? ({ year: "numeric" } as const) : {};
  switch (bucket) {
    case "hour": {
      const day = formatLabel(date, { weekday: "short", day: "numeric", month: "short", ...year });
      return `${day}, ${hourRange(date)}`;
    }
    case "day":
      return formatLabel(date, { weekday: "long", day: "numeric", month: "long", ...year });
    case "week":
      return t("chart.week_of", { date: formatLabel(date, { day: "numeric", month: "long", ...year }) });
    case "month":
      return formatLabel(date, { month: "long", year: "numeric" });
  }
}

/** The offset of an hour's label as "UTC+01:00": two hours of the day that clocks go back differ only in it. */
export function offsetName(label: string): string {
  return `UTC${label.slice(19).replace("Z", "")}`;
}

/** The hour of the day as the locale writes it: "13:00–14:00", "1:00 – 2:00 PM". */
export function hourName(hour: number): string {
  return hourRange(new Date(hour * HOUR));
}

/** The start of an hour of the day, short: "13", "1 PM". */
export function hourTick(hour: number): string {
  return dateFormat("UTC", { hour: "numeric" })
    .formatToParts(new Date(hour * HOUR))
    .filter(({ type, value }) => type !== "literal" || value.trim() === "") // German adds "Uhr"
    .map(({ value }) => value)
    .join("")
    .trim();
}

/** The name of a weekday, 1 Monday to 7 Sunday. */
export function weekdayName(weekday: number, style: "long" | "short"): string {
  return formatLabel(new Date(Date.UTC(2024, 0, weekday)), { weekday: style }); // 1 January 2024 was a Monday
}

/** An instant of the API in the view's zone: "10 Nov 2026, 14:42:05"; "time" is "14:42" alone. */
export function formatInstant(instant: string | number, zone: string, style: "full" | "short" | "time" = "short"): string {
  const time = { hour: "2-digit", minute: "2-digit" } as const;
  const day = { day: "numeric", month: "short", year: "numeric" } as const;
  const options: Intl.DateTimeFormatOptions =
    style === "time" ? time
    : style === "short" ? { ...day, ...time }
    : { weekday: "short", ...day, ...time, second: "2-digit", timeZoneName: "short" };
  return dateFormat(zone, options).format(new Date(instant));
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]];
const words = new Intl.RelativeTimeFormat(language, { style: "narrow" });

/** How long ago, in whole units and in the language of the texts: "3s ago", "2h ago". */
export function formatAgo(instant: string | number, now: number): string {
  const seconds = Math.max(0, Math.floor((now - new Date(instant).getTime()) / 1000));
  const [unit, size] = STEPS.find(([, length]) => seconds >= length) ?? (["second", 1] as const);
  return words.format(-Math.floor(seconds / size), unit);
}

function hourRange(start: Date): string {
  const format = dateFormat("UTC", { hour: "numeric", minute: "2-digit" });
  const end = new Date(start.getTime() + HOUR - (start.getTime() % HOUR));
  // A range that ends on the next day would be written with both dates.
  return end.getUTCHours() === 0 ? `${format.format(start)}–${format.format(end)}` : format.formatRange(start, end);
}
