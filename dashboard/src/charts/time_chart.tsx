import { useId, useMemo, useRef, useState } from "preact/hooks";
import { changeOf } from "../format/change";
import { formatTick, formatValue } from "../format/numbers";
import { t } from "../text";
import { Figure } from "./figure";
import { areaPath, barPath, linear, linePath, lonePath, stepPath, textWidth, valueTicks, type Place } from "./geometry";
import { indexOf, useRoving, useWidth } from "./hooks";
import { bucketNames, timeSummary, timeTable } from "./summary";
import { axisLabels } from "./time_axis";
import { Tip } from "./tip";
import type { Point, TimeChartProps, Unit } from "./types";

const TOP = 10;
const BOTTOM = 24;
const NARROW = 480;
const WIDEST = 40; // of a bar

/** A measure over time: bars for what adds up, a line for what does not; the comparison dashed. */
export function TimeChart(props: TimeChartProps) {
  const isEmpty = props.points.every((point) => point.value === null && point.previous == null);
  return (
    <Figure title={props.title} summary={timeSummary(props)} table={() => timeTable(props)} toolbar={props.toolbar} isEmpty={isEmpty}>
      <Plot {...props} />
    </Figure>
  );
}

function Plot({ title, unit, bucket, points, compared, onPick }: TimeChartProps) {
  const plot = useRef<HTMLDivElement>(null);
  const width = useWidth(plot);
  const height = width > 0 && width < NARROW ? 200 : 260;
  const [shown, setShown] = useState<number | null>(null);
  const { stop, container } = useRoving(points.length, 0);
  const touched = useRef<number | null>(null);
  const frame = useMemo(() => frameOf(points, unit, width, height), [points, unit, width, height]);
  const names = useMemo(() => bucketNames(points, bucket), [points, bucket]);
  const drawing = useMemo(
    () => <Drawing frame={frame} points={points} unit={unit} compared={compared} labels={axisLabels(points.map((point) => point.label), bucket, frame.right - frame.left)} />,
    [frame, points, unit, bucket, compared],
  );
  const targets = useMemo(
    () => points.map((point, index) => (
      <rect
        key={point.label}
        class="chart-target"
        role="button"
        data-index={index}
        tabindex={index === stop ? 0 : -1}
        aria-label={nameOf(point, names[index]!, unit, compared)}
        x={frame.left + index * frame.step}
        y={TOP}
        width={frame.step}
        height={frame.bottom - TOP}
      />
    )),
    [frame, points, names, unit, compared, stop],
  );

  /** A finger has no hover: its first tap shows the point, the second picks it. */
  const pick = (event: Event) => {
    const index = indexOf(event);
    const point = points[index];
    const isFirstTap = (event as PointerEvent).pointerType === "touch" && touched.current !== index;
    touched.current = index;
    if (point && !isFirstTap) onPick(point.label);
  };
  const active = shown === null ? undefined : points[shown];
  return (
    <>
      <div
        class="chart-plot"
        ref={plot}
        style={{ height: `${height}px` }}
        onClick={pick}
        onPointerOver={(event) => event.pointerType !== "touch" && setShown(shownBy(event))}
        onPointerLeave={() => setShown(null)}
        onKeyDown={(event) => {
          container.onKeyDown(event);
          if (event.key === "Escape") setShown(null);
          if (event.key === "Enter" || event.key === " ") {
            event.preventDefault();
            pick(event);
          }
        }}
        onFocusIn={(event) => {
          container.onFocusIn(event);
          setShown(shownBy(event));
        }}
        onFocusOut={() => {
          touched.current = null;
          setShown(null);
        }}
      >
        {width > 0 && (
          <svg class="chart-time" width={width} height={height} role="group" aria-label={title}>
            {shown !== null && (
              <rect class="chart-band" x={frame.left + shown * frame.step} y={TOP} width={frame.step} height={frame.bottom - TOP} />
            )}
            {drawing}
            {active && !frame.isBars && <Dots frame={frame} index={shown!} />}
            {targets}
          </svg>
        )}
        {active && (
          <Tip from={frame.left + shown! * frame.step} to={frame.left + (shown! + 1) * frame.step} top={0} width={width}>
            <TipText point={active} name={names[shown!]!} unit={unit} compared={compared} isBars={frame.isBars} />
          </Tip>
        )}
      </div>
      <Legend isBars={frame.isBars} isCompared={compared} isOpen={points.some((point) => !point.complete)} />
    </>
  );
}

function shownBy(event: Event): number | null {
  const index = indexOf(event);
  return index >= 0 ? index : null;
}

interface Frame {
  left: number;
  right: number;
  bottom: number;
  step: number;
  isBars: boolean;
  ticks: { value: number; y: number; text: string }[];
  now: Place[];
  before: Place[];
}

function frameOf(points: Point[], unit: Unit, width: number, height: number): Frame {
  const values = points.flatMap(({ value, previous }) => [value, previous].filter((of) => of != null));
  const ticks = valueTicks(Math.min(...values), Math.max(...values), unit, height < 240 ? 3 : 4);
  const bottom = height - BOTTOM;
  const y = linear(ticks[0]!, ticks.at(-1)!, bottom, TOP);
  const texts = ticks.map((tick) => formatTick(tick, unit));
  const left = Math.ceil(Math.max(...texts.map((text) => textWidth(text)))) + 8;
  const step = (width - left) / points.length;
  const places = (of: "value" | "previous") =>
    points.map((point, index) => ({ x: left + (index + 0.5) * step, y: point[of] == null ? null : y(point[of]) }));
  return {
    left,
    right: width,
    bottom,
    step,
    isBars: (unit === "count" || unit === "money") && step >= 3,
    ticks: ticks.map((value, index) => ({ value, y: y(value), text: texts[index]! })),
    now: places("value"),
    before: places("previous"),
  };
}

interface DrawingProps {
  frame: Frame;
  points: Point[];
  unit: Unit;
  compared: boolean;
  labels: ReturnType<typeof axisLabels>;
}

function Drawing({ frame, points, compared, labels }: DrawingProps) {
  const hatch = useId();
  const { left, right, bottom, step, isBars, ticks, now, before } = frame;
  const zero = ticks.find((tick) => tick.value === 0)?.y ?? bottom;
  const open = points.flatMap((point, index) => (point.complete ? [] : [index]));
  const thick = Math.min(WIDEST, step >= 8 ? step * 0.72 : step >= 5 ? step - 1.5 : step - 0.5);
  const isStepped = isBars && step >= 16;
  const band = Math.min(step, WIDEST);
  const bar = (index: number) => {
    const { x, y } = now[index]!;
    return y === null ? "" : barPath(x - thick / 2, thick, zero, y);
  };
  return (
    <g aria-hidden="true">
      <Hatch id={hatch} />
      {ticks.map((tick) => (
        <g key={tick.value}>
          <line class={tick.value === 0 ? "chart-zero" : "chart-grid"} x1={left} x2={right} y1={Math.round(tick.y) + 0.5} y2={Math.round(tick.y) + 0.5} />
          <text class="chart-label" x={left - 8} y={tick.y} dy="0.32em" text-anchor="end">{tick.text}</text>
        </g>
      ))}
      {open.filter((index) => !isBars || bar(index) === "").map((index) => (
        <rect
          key={index} class="chart-open-band" fill={`url(#${hatch})`}
          x={now[index]!.x - band / 2} y={TOP} width={band} height={bottom - TOP}
        />
      ))}
      {isBars ? (
        <>
          <path class="chart-bars" d={points.map((point, index) => (point.complete ? bar(index) : "")).join("")} />
          {open.map((index) => <path key={index} class="chart-bar-open" d={bar(index)} fill={`url(#${hatch})`} />)}
        </>
      ) : (
        <path class="chart-area" d={areaPath(now, zero)} />
      )}
      {compared && <path class="chart-before" d={isStepped ? stepPath(before, step) : linePath(before)} />}
      {compared && !isStepped && <path class="chart-lone-before" d={lonePath(before)} />}
      {!isBars && <path class="chart-now" d={linePath(now)} />}
      {!isBars && <path class="chart-lone" d={lonePath(now)} />}
      {labels.map((label) => (
        <text key={label.index} class={label.marked ? "chart-label chart-label-marked" : "chart-label"} x={left + label.x} y={bottom + 17} text-anchor={label.anchor}>
          {label.text}
        </text>
      ))}
    </g>
  );
}

/** Slanted lines: the sign of a bucket that is not over. */
function Hatch({ id }: { id: string }) {
  return (
    <pattern id={id} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
      <rect class="chart-hatch-ground" width="6" height="6" />
      <line class="chart-hatch" x1="1.5" x2="1.5" y1="0" y2="6" />
    </pattern>
  );
}

function Dots({ frame, index }: { frame: Frame; index: number }) {
  const now = frame.now[index];
  const before = frame.before[index];
  return (
    <g aria-hidden="true">
      {before && before.y !== null && <circle class="chart-dot-before" cx={before.x} cy={before.y} r={3} />}
      {now && now.y !== null && <circle class="chart-dot" cx={now.x} cy={now.y} r={4} />}
    </g>
  );
}

interface TipTextProps {
  point: Point;
  name: string;
  unit: Unit;
  compared: boolean;
  isBars: boolean;
}

function TipText({ point, name, unit, compared, isBars }: TipTextProps) {
  const { arrow, text } = changeOf(point.value, point.previous, unit);
  return (
    <>
      <div class="chart-tip-name">{name}</div>
      <div class="chart-tip-row">
        <i class={keyOf(isBars)} /><b>{formatValue(point.value, unit)}</b>{compared && text && <span>{arrow} {text}</span>}
      </div>
      {compared && <div class="chart-tip-row"><i class="chart-key chart-key-before" />{formatValue(point.previous, unit)}</div>}
      {!point.complete && <div class="chart-tip-row"><i class="chart-key chart-key-open" />{t("chart.open")}</div>}
    </>
  );
}

function nameOf(point: Point, name: string, unit: Unit, compared: boolean): string {
  const full = point.complete ? name : t("chart.open_mark", { name });
  const parts = [`${full}: ${point.value === null ? t("chart.no_value") : formatValue(point.value, unit)}`];
  if (compared) parts.push(changeOf(point.value, point.previous, unit).words);
  return parts.join(", ");
}

function Legend({ isBars, isCompared, isOpen }: { isBars: boolean; isCompared: boolean; isOpen: boolean }) {
  if (!isCompared && !isOpen) return null;
  return (
    <ul class="chart-legend" aria-hidden="true">
      <li><i class={keyOf(isBars)} />{t("chart.now")}</li>
      {isCompared && <li><i class="chart-key chart-key-before" />{t("chart.before")}</li>}
      {isOpen && <li><i class="chart-key chart-key-open" />{t("chart.open")}</li>}
    </ul>
  );
}

function keyOf(isBars: boolean): string {
  return isBars ? "chart-key chart-key-now" : "chart-key chart-key-line";
}
