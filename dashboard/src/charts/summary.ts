/** The sentence above a chart and the table behind it, made from the chart's own data. Pure. */
import { maxIndex } from "d3-array";
import { changeOf } from "../format/change";
import { bucketName, hourName, offsetName, weekdayName } from "../format/dates";
import { decimal } from "../format/decimal";
import { formatValue } from "../format/numbers";
import { t } from "../text";
import type { Table } from "./figure";
import type { Bar, Bucket, Cell, Mark, Point, Stage, TimeChartProps, Unit } from "./types";

/** A fraction as whole percents, with more digits where it would read as 0% or 100% and is not. */
export function formatShare(share: number): string {
  if (share >= 0.995 && share < 1) return decimal(Math.min(share, 0.999), { style: "percent", minimumFractionDigits: 1 });
  const digits = share >= 0.0995 ? { maximumFractionDigits: 0 }
    : share >= 0.001 ? { maximumFractionDigits: 1 }
    : { maximumSignificantDigits: 1 };
  return decimal(share, { style: "percent", ...digits });
}

/** The buckets' names; the year only where there are several, the offset only where an hour comes twice. */
export function bucketNames(points: Point[], bucket: Bucket): string[] {
  const first = points[0];
  const last = points.at(-1);
  const withYear = !!first && !!last && first.label.slice(0, 4) !== last.label.slice(0, 4);
  const clock = (index: number) => points[index]?.label.slice(0, 16);
  return points.map(({ label }, index) => {
    const name = bucketName(label, bucket, withYear);
    const isTwice = bucket === "hour" && [index - 1, index + 1].some((other) => clock(other) === clock(index));
    return isTwice ? `${name} (${offsetName(label)})` : name;
  });
}

export function timeSummary({ unit, bucket, points, compared, total, previousTotal }: TimeChartProps): string {
  if (points.every((point) => point.value === null)) return t("chart.sum.empty");
  const names = bucketNames(points, bucket);
  const span = t(`chart.in.${bucket}`, { count: points.length });
  const at = (index: number) => t(`chart.at.${bucket}`, { name: names[index]! });
  const high = maxIndex(points, (point) => point.value);
  const highest = points[high]!.value!;
  const value = (of: number | null) => formatValue(of, unit);
  const parts: string[] = [];
  if (points.length === 1) {
    parts.push(t("chart.sum.single", { value: value(highest), at: at(0) }));
  } else {
    parts.push(t("chart.sum.total", { total: value(total), span }));
    const key = unit === "count" || unit === "money" ? "chart.sum.most" : "chart.sum.highest";
    if (highest !== 0) parts.push(t(key, { at: at(high), value: value(highest) }));
  }
  if (compared) parts.push(changeOf(total, previousTotal, unit).words);
  return `${parts.join(", ")}.`;
}

export function timeTable({ title, unit, bucket, points, compared }: TimeChartProps): Table {
  const names = bucketNames(points, bucket);
  const columns = [t(`chart.bucket.${bucket}`), title];
  if (compared) columns.push(t("chart.before"), t("chart.change"));
  const rows = points.map(({ value, previous, complete }, index) => [
    complete ? names[index]! : t("chart.open_mark", { name: names[index]! }),
    formatValue(value, unit),
    ...(compared ? [formatValue(previous, unit), signOf(value, previous, unit)] : []),
  ]);
  return { columns, rows };
}

/** "↑ +12%", or empty where there is nothing to compare with. */
export function signOf(value: number | null, previous: number | null | undefined, unit: Unit): string {
  const { arrow, text } = changeOf(value, previous, unit);
  return text && `${arrow}\u00a0${text}`;
}

export function barSummary(unit: Unit, bars: Bar[]): string {
  const named = bars.filter((bar) => !bar.muted).sort((a, b) => b.value - a.value);
  const [first, ...others] = named;
  const unnamed = bars.find((bar) => bar.muted && bar.value > 0);
  if (!first && unnamed) return `${t("chart.sum.no_values", { value: formatValue(unnamed.value, unit) })}.`;
  if (!first || first.value === 0) return t("chart.sum.empty");
  const most = t(unit === "count" || unit === "money" ? "chart.sum.bars" : "chart.sum.bars_plain", {
    name: first.name, value: formatValue(first.value, unit), share: formatShare(first.share),
  });
  const names = others.slice(0, 2).map((bar) => `${bar.name} (${formatValue(bar.value, unit)})`).join(", ");
  return names ? `${most}, ${t("chart.sum.others", { names })}.` : `${most}.`;
}

export function barTable(title: string, unit: Unit, bars: Bar[]): Table {
  const compared = isCompared(bars);
  return {
    columns: [title, t("chart.value"), t("chart.share"), ...(compared ? [t("chart.before"), t("chart.change")] : [])],
    rows: bars.map(({ name, value, share, previous }) => [
      name,
      formatValue(value, unit),
      formatShare(share),
      ...(compared ? [formatValue(previous, unit), signOf(value, previous, unit)] : []),
    ]),
  };
}

export function isCompared(bars: Bar[]): boolean {
  return bars.some((bar) => bar.previous !== undefined);
}

export function heatSummary(unit: Unit, cells: Cell[]): string {
  const most = cells[maxIndex(cells, (cell) => cell.value)];
  if (!most || most.value === 0) return t("chart.sum.empty");
  const place = {
    weekday: weekdayName(most.weekday, "long"), hour: hourName(most.hour), value: formatValue(most.value, unit),
  };
  if (unit !== "count" && unit !== "money") return `${t("chart.sum.heat_plain", place)}.`;
  const days = new Array<number>(8).fill(0);
  for (const cell of cells) days[cell.weekday]! += cell.value;
  const busiest = maxIndex(days);
  return `${t("chart.sum.heat", { ...place, busiest: weekdayName(busiest, "long"), sum: formatValue(days[busiest]!, unit) })}.`;
}

export function funnelSummary(stages: Stage[]): string {
  const first = stages[0];
  const last = stages.at(-1);
  if (!first || !last || first.value === 0) return t("chart.sum.empty");
  return `${t("chart.sum.funnel", {
    first: formatValue(first.value, "count"), share: formatShare(last.value / first.value), last: formatValue(last.value, "count"),
  })}.`;
}

export function markSummary(unit: Unit, marks: Mark[]): string {
  const known = marks.filter((mark) => mark.value !== null);
  if (known.length === 0) return t("chart.sum.empty");
  const of = (name: string) => known.find((mark) => mark.name === name)?.value;
  const [p50, p90, max] = [of("p50"), of("p90"), of("max")];
  if (p50 != null && p90 != null && max != null) {
    const texts = { p50: formatValue(p50, unit), p90: formatValue(p90, unit), max: formatValue(max, unit) };
    return `${t("chart.sum.marks", texts)}.`;
  }
  return `${known.map((mark) => `${markName(mark.name)} ${formatValue(mark.value, unit)}`).join(", ")}.`;
}

/** "Median" for p50, "Shortest" for min and "Longest" for max; others are their own name. */
export function markName(name: string): string {
  return name === "min" || name === "p50" || name === "max" ? t(`chart.mark.${name}`) : name;
}
