import { max, min } from "d3-array";
import { areaPath, linear, linePath, lonePath, type Place } from "./geometry";
import type { SparklineProps } from "./types";

const WIDTH = 100;
const HEIGHT = 28;
const EDGE = 3; // room for the line and the last dot

/** The shape of a series in one line; `label` is all that a screen reader gets of it. */
export function Sparkline({ points, unit, label }: SparklineProps) {
  const top = max(points, (value) => value) ?? 0;
  // What adds up is drawn from zero; of other units the shape is what matters.
  const lowest = min(points, (value) => value) ?? 0;
  const bottom = unit === "count" || unit === "money" ? Math.min(0, lowest) : lowest;
  const y = top === 0 && bottom === 0 ? () => HEIGHT - EDGE : linear(bottom, top, HEIGHT - EDGE, EDGE);
  const x = linear(0, points.length - 1, EDGE, WIDTH - EDGE);
  const places = points.map((value, index): Place => ({ x: x(index), y: value === null ? null : y(value) }));
  const last = places.findLast((place) => place.y !== null);
  // Stretched to its box: strokes do not scale, and a dot is a line without length with round ends.
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
      <path class="spark-area" d={areaPath(places, HEIGHT)} />
      <path class="spark-line" d={linePath(places) + lonePath(places)} />
      {last && <path class="spark-dot" d={lonePath([last])} />}
    </svg>
  );
}
