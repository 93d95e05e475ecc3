import { max, range } from "d3-array";
import { useMemo, useRef, useState } from "preact/hooks";
import { hourName, hourTick, weekdayName } from "../format/dates";
import { formatTick, formatValue } from "../format/numbers";
import { t } from "../text";
import { Figure, type Table } from "./figure";
import { indexOf, useRoving, useWidth } from "./hooks";
import { heatSummary } from "./summary";
import { Tip } from "./tip";
import type { Cell, HeatMapProps } from "./types";

const NARROW = 480;
const SIDE = 44; // the names beside the cells, with their gap
const HOURS = range(24);
const WEEKDAYS = range(1, 8);

interface Shown {
  index: number;
  from: number;
  to: number;
  top: number;
}

/** Hours by weekdays: the more, the larger and the stronger the square. Upright where there is little width. */
export function HeatMap(props: HeatMapProps) {
  const { title, unit, cells, toolbar } = props;
  return (
    <Figure title={title} summary={heatSummary(unit, cells)} table={() => heatTable(props)} toolbar={toolbar} isEmpty={cells.every((cell) => cell.value === 0)}>
      <Grid {...props} />
    </Figure>
  );
}

function Grid({ title, unit, cells, onPick }: HeatMapProps) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const isUpright = width > 0 && width < NARROW;
  const columns = isUpright ? 7 : 24;
  const [shown, setShown] = useState<Shown | null>(null);
  const { stop, container } = useRoving(168, columns);
  const touched = useRef<number | null>(null);
  const values = useMemo(() => valuesOf(cells), [cells]);
  const highest = max(cells, (cell) => cell.value) || 0;
  const place = (index: number) =>
    isUpright
      ? { hour: Math.floor(index / 7), weekday: (index % 7) + 1 }
      : { hour: index % 24, weekday: Math.floor(index / 24) + 1 };
  const valueAt = (index: number) => {
    const { hour, weekday } = place(index);
    return values.get(keyOf(hour, weekday)) ?? (unit === "count" || unit === "money" ? 0 : null);
  };
  const nameAt = (index: number) => {
    const { hour, weekday } = place(index);
    return `${weekdayName(weekday, "long")}, ${hourName(hour)}`;
  };
  const squares = useMemo(
    () => range(168).map((index) => {
      const level = levelOf(valueAt(index), highest);
      return (
        <button
          key={index}
          type="button"
          class="heat-cell"
          data-index={index}
          tabIndex={index === stop ? 0 : -1}
          aria-label={`${nameAt(index)}: ${formatValue(valueAt(index), unit)}`}
        >
          <Square level={level} />
        </button>
      );
    }),
    [values, highest, unit, isUpright, stop],
  );
  const show = (event: Event) => {
    const index = indexOf(event);
    if (index < 0) return setShown(null);
    const cell = (event.target as Element).closest<HTMLElement>("[data-index]")!;
    setShown({ index, from: cell.offsetLeft, to: cell.offsetLeft + cell.offsetWidth, top: cell.offsetTop });
  };
  const sides = isUpright ? HOURS.map((hour) => (hour % 3 === 0 ? hourTick(hour) : "")) : WEEKDAYS.map((day) => weekdayName(day, "short"));
  const tops = isUpright ? WEEKDAYS.map((day) => weekdayName(day, "short")) : HOURS.map((hour) => (hour % 3 === 0 ? hourTick(hour) : ""));
  return (
    <div class={isUpright ? "heat heat-upright" : "heat"} ref={box}>
      <div class="heat-tops" aria-hidden="true">{tops.map((text, index) => <span key={index}>{text}</span>)}</div>
      <div class="heat-sides" aria-hidden="true">{sides.map((text, index) => <span key={index}>{text}</span>)}</div>
      <div
        class="heat-cells"
        role="group"
        aria-label={title}
        onClick={(event) => {
          const index = indexOf(event);
          const isFirstTap = (event as unknown as PointerEvent).pointerType === "touch" && touched.current !== index;
          touched.current = index;
          if (index < 0 || isFirstTap) return;
          const { hour, weekday } = place(index);
          onPick(hour, weekday);
        }}
        onPointerOver={(event) => event.pointerType !== "touch" && show(event)}
        onPointerLeave={() => setShown(null)}
        onKeyDown={(event) => {
          container.onKeyDown(event);
          if (event.key === "Escape") setShown(null);
        }}
        onFocusIn={(event) => {
          container.onFocusIn(event);
          show(event);
        }}
        onFocusOut={() => {
          touched.current = null;
          setShown(null);
        }}
      >
        {squares}
        {shown && (
          <Tip {...shown} width={width - SIDE}>
            <div class="chart-tip-name">{nameAt(shown.index)}</div>
            <b>{formatValue(valueAt(shown.index), unit)}</b>
          </Tip>
        )}
      </div>
      <div class="heat-scale" aria-hidden="true">
        <span>{formatTick(0, unit)}</span>
        {[0, 0.25, 0.5, 0.75, 1].map((level) => <span key={level} class="heat-step"><Square level={level} /></span>)}
        <span>{formatValue(highest, unit)}</span>
      </div>
    </div>
  );
}

/** Size and strength both grow with the level, so the map also reads without colour. */
function Square({ level }: { level: number }) {
  return <i class={level > 0 ? "heat-square" : "heat-square heat-zero"} style={{ "--level": level.toFixed(3) }} />;
}

function levelOf(value: number | null, highest: number): number {
  return value === null || value <= 0 || highest <= 0 ? 0 : value / highest;
}

function keyOf(hour: number, weekday: number): number {
  return weekday * 24 + hour;
}

function valuesOf(cells: Cell[]): Map<number, number> {
  return new Map(cells.map((cell) => [keyOf(cell.hour, cell.weekday), cell.value]));
}

function heatTable({ unit, cells }: HeatMapProps): Table {
  const values = valuesOf(cells);
  const missing = unit === "count" || unit === "money" ? 0 : null;
  return {
    columns: [t("chart.bucket.hour"), ...WEEKDAYS.map((weekday) => weekdayName(weekday, "short"))],
    rows: HOURS.map((hour) => [
      hourName(hour),
      ...WEEKDAYS.map((weekday) => formatValue(values.get(keyOf(hour, weekday)) ?? missing, unit)),
    ]),
  };
}
