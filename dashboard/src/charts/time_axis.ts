/** Labels of a time axis: the finest round steps whose labels do not touch. Pure. */
import { formatLabel, labelDate, type Bucket } from "../format/dates";
import { textWidth } from "./geometry";

/** `x` is where the text is anchored; a marked label begins a day, a month or a year. */
export interface AxisLabel {
  index: number;
  x: number;
  anchor: "start" | "middle" | "end";
  text: string;
  marked: boolean;
}

const GAP = 10;
const DAY = 86_400_000;

type Part = "hour" | "day" | "month" | "year";

/** Which buckets a level labels: `keep` is given those that begin the level's part. */
interface Level {
  part: Part;
  most: number; // labels, for more are hard to read though they may fit
  keep(date: Date): boolean;
}

const dayNumber = (date: Date) => Math.floor(date.getTime() / DAY);
const isMonday = (date: Date) => date.getUTCDay() === 1;

const LEVELS: Level[] = [
  ...[1, 2, 3, 6, 12].map((step): Level => ({ part: "hour", most: 24, keep: (date) => date.getUTCHours() % step === 0 })),
  { part: "day", most: 31, keep: () => true },
  { part: "day", most: 16, keep: (date) => dayNumber(date) % 2 === 0 },
  { part: "day", most: 16, keep: isMonday },
  { part: "day", most: 16, keep: (date) => isMonday(date) && ((dayNumber(date) + 3) / 7) % 2 === 0 },
  ...[1, 3, 6].map((step): Level => ({ part: "month", most: 24, keep: (date) => date.getUTCMonth() % step === 0 })),
  ...[1, 2, 5, 10].map((step): Level => ({ part: "year", most: 24, keep: (date) => date.getUTCFullYear() % step === 0 })),
];

const FINEST: Record<Bucket, Part> = { hour: "hour", day: "day", week: "day", month: "month" };
const ORDER: Part[] = ["hour", "day", "month", "year"];

/**
 * Labels for buckets that lie side by side over `width` pixels. No two are closer than a gap, none
 * is outside 0 to `width`, and unless there is no bucket there is at least one.
 */
export function axisLabels(labels: string[], bucket: Bucket, width: number): AxisLabel[] {
  const dates = labels.map(labelDate);
  const finest = ORDER.indexOf(FINEST[bucket]);
  for (const level of LEVELS) {
    if (ORDER.indexOf(level.part) < finest) continue;
    const chosen = dates.flatMap((date, index) => (begins(dates, index, level.part) && level.keep(date) ? [index] : []));
    if (chosen.length === 0 || chosen.length > level.most) continue;
    const placed = place(dates, chosen, level.part, width);
    if (placed.every((label, index) => index === 0 || right(placed[index - 1]!) + GAP <= left(label))) return placed;
  }
  return dates.length === 0 ? [] : place(dates, [0], FINEST[bucket], width);
}

function begins(dates: Date[], index: number, part: Part): boolean {
  const date = dates[index]!;
  const before = dates[index - 1];
  if (before) return key(date, part) !== key(before, part);
  return part === "hour" || part === "day" || (date.getUTCDate() === 1 && (part === "month" || date.getUTCMonth() === 0));
}

/** The ISO text as far as the part, so equal within it. */
function key(date: Date, part: Part): string {
  return date.toISOString().slice(0, { hour: 13, day: 10, month: 7, year: 4 }[part]);
}

function place(dates: Date[], chosen: number[], part: Part, width: number): AxisLabel[] {
  const larger: Part = part === "hour" ? "day" : part === "day" ? "month" : "year";
  return chosen.map((index, position): AxisLabel => {
    const date = dates[index]!;
    const before = position > 0 ? dates[chosen[position - 1]!]! : undefined;
    const marked = part !== "year" && (!before || key(before, larger) !== key(date, larger));
    const text = formatLabel(date, formatOf(part, marked));
    const middle = ((index + 0.5) * width) / dates.length;
    const half = textWidth(text) / 2;
    if (middle < half) return { index, x: 0, anchor: "start", text, marked };
    if (middle > width - half) return { index, x: width, anchor: "end", text, marked };
    return { index, x: middle, anchor: "middle", text, marked };
  });
}

function formatOf(part: Part, marked: boolean): Intl.DateTimeFormatOptions {
  switch (part) {
    case "hour":
      return marked ? { weekday: "short", day: "numeric", month: "short" } : { hour: "numeric", minute: "2-digit" };
    case "day":
      return marked ? { day: "numeric", month: "short" } : { day: "numeric" };
    case "month":
      return marked ? { month: "short", year: "numeric" } : { month: "short" };
    case "year":
      return { year: "numeric" };
  }
}

/** The left edge of a label. */
export function left({ x, anchor, text }: AxisLabel): number {
  return anchor === "start" ? x : x - textWidth(text) * (anchor === "end" ? 1 : 0.5);
}

/** The right edge of a label. */
export function right(label: AxisLabel): number {
  return left(label) + textWidth(label.text);
}
