/** From numbers to places: value axes, paths and bars. Pure; all lengths are pixels. */
import { tickIncrement } from "d3-array";
import type { Unit } from "./types";

export interface Place {
  x: number;
  y: number | null; // null is a gap
}

const TIMES = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200];

/**
 * Ticks of a value axis, about `count` steps apart by a round number, ascending. They include zero,
 * the first is not above `low`, the last not below `high`. Counts step by whole numbers where they
 * reach 1, durations by seconds, minutes and hours that people count in.
 */
export function valueTicks(low: number, high: number, unit: Unit, count = 4): number[] {
  const bottom = Math.min(0, low);
  const top = Math.max(0, high) || (bottom < 0 ? 0 : unit === "percent" ? 100 : 1);
  const increment = stepOf(bottom, top, unit, count);
  // A negative increment is a divisor: 3 / 10 is exact where 3 * 0.1 is not.
  const at = (index: number) => (increment < 0 ? index / -increment : index * increment);
  const size = at(1);
  const first = Math.floor(bottom / size + 1e-9);
  const last = Math.ceil(top / size - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) => at(first + index) || 0);
}

function stepOf(bottom: number, top: number, unit: Unit, count: number): number {
  const rough = (top - bottom) / count;
  const time = unit === "seconds" && rough > 0.5 ? TIMES.find((step) => step >= rough) : undefined;
  if (time !== undefined) return time;
  const increment = tickIncrement(bottom, top, count);
  return unit === "count" && increment < 0 && top >= 1 ? 1 : increment;
}

/** A linear scale from a domain to a range; the middle of the range where the domain is one value. */
export function linear(from: number, to: number, start: number, end: number): (value: number) => number {
  const span = to - from;
  return (value) => (span === 0 ? (start + end) / 2 : start + ((value - from) / span) * (end - start));
}

/** Runs of neighbours without a gap. */
export function runs(places: Place[]): { x: number; y: number }[][] {
  const found: { x: number; y: number }[][] = [];
  let run: { x: number; y: number }[] = [];
  for (const { x, y } of places) {
    if (y !== null) {
      if (run.length === 0) found.push(run);
      run.push({ x, y });
    } else run = [];
  }
  return found;
}

/** Straight lines through the places; a gap stays open. */
export function linePath(places: Place[]): string {
  return runs(places)
    .map((run) => `M${run.map(({ x, y }) => `${n(x)},${n(y)}`).join("L")}`)
    .join("");
}

/** The places between two gaps, which no line shows: lines without length, dots if their ends are round. */
export function lonePath(places: Place[]): string {
  return runs(places)
    .filter((run) => run.length === 1)
    .map((run) => `M${n(run[0]!.x)},${n(run[0]!.y)}h0`)
    .join("");
}

/** A level over the width of each bucket, joined by uprights; a gap stays open. */
export function stepPath(places: Place[], width: number): string {
  const half = width / 2;
  return runs(places)
    .map((run) => `M${n(run[0]!.x - half)},${n(run[0]!.y)}` + run.map(({ x, y }) => `V${n(y)}H${n(x + half)}`).join(""))
    .join("");
}

/** The area between the places and a base line. */
export function areaPath(places: Place[], base: number): string {
  return runs(places)
    .filter((run) => run.length > 1)
    .map((run) => `M${n(run[0]!.x)},${n(base)}L${run.map(({ x, y }) => `${n(x)},${n(y)}`).join("L")}V${n(base)}Z`)
    .join("");
}

/** A bar from the base line to `y`, its far corners round; above or below the base. */
export function barPath(x: number, width: number, base: number, y: number): string {
  const height = Math.abs(base - y);
  if (height === 0) return "";
  const radius = Math.min(3, width / 3, height);
  const turn = y < base ? radius : -radius;
  return `M${n(x)},${n(base)}V${n(y + turn)}q0,${n(-turn)},${n(radius)},${n(-turn)}h${n(width - 2 * radius)}q${n(radius)},0,${n(radius)},${n(turn)}V${n(base)}Z`;
}

/** The pixels that a text of the small size needs, rather too many than too few. */
export function textWidth(text: string, size = 11): number {
  return text.length * size * 0.6;
}

function n(value: number): string {
  return String(Math.round(value * 10) / 10);
}
