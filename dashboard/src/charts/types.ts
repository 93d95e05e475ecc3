import type { ComponentChildren } from "preact";
import type { Bucket } from "../format/dates";
import type { Unit } from "../format/numbers";

export type { Bucket, Unit };

/** What every chart hands to its figure besides its own data. */
export interface FigureSlots {
  toolbar?: ComponentChildren;
}

/** One bucket. `label` is the API's, local to the view's zone; null is a value that there is not. */
export interface Point {
  label: string;
  value: number | null;
  previous?: number | null;
  complete: boolean;
}

export interface TimeChartProps extends FigureSlots {
  title: string;
  unit: Unit;
  bucket: Bucket;
  points: Point[];
  compared: boolean;
  /** The measure over the whole period: rates and averages of buckets have no sum. */
  total: number | null;
  previousTotal: number | null;
  onPick(label: string): void;
}

/** One row. `share` is a fraction of the whole, 0 to 1; a muted row comes last in every order. */
export interface Bar {
  key: string;
  name: string;
  value: number;
  share: number;
  previous?: number | null;
  muted?: boolean;
}

export type SortBy = "value" | "name" | "change";

export interface BarListProps extends FigureSlots {
  title: string;
  unit: Unit;
  bars: Bar[];
  sort: SortBy;
  descending: boolean;
  /** How many bars are shown, besides muted ones; the sentence is about all of them. */
  top?: number;
  onSort(by: SortBy): void;
  onPick(key: string): void;
}

/** Calls of one hour of the day, 0 to 23, on one weekday, 1 Monday to 7 Sunday. */
export interface Cell {
  hour: number;
  weekday: number;
  value: number;
}

export interface HeatMapProps extends FigureSlots {
  title: string;
  unit: Unit;
  cells: Cell[];
  onPick(hour: number, weekday: number): void;
}

export interface Stage {
  key: string;
  name: string;
  value: number;
}

export interface FunnelProps extends FigureSlots {
  title: string;
  stages: Stage[];
  onPick(key: string): void;
}

/** A quantile: its name is "min", "p50" to "p99" or "max". */
export interface Mark {
  name: string;
  value: number | null;
}

export interface DistributionProps extends FigureSlots {
  title: string;
  unit: Unit;
  marks: Mark[];
}

export interface SparklineProps {
  points: (number | null)[];
  unit: Unit;
  label: string;
}
