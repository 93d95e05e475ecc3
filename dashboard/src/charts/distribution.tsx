import { max } from "d3-array";
import { useRef } from "preact/hooks";
import { formatTick, formatValue } from "../format/numbers";
import { t } from "../text";
import { Figure } from "./figure";
import { linear, textWidth, valueTicks } from "./geometry";
import { useRoving, useWidth } from "./hooks";
import { markName, markSummary } from "./summary";
import type { DistributionProps, Mark, Unit } from "./types";

/** The quantiles of a measure as dots on one axis, each reached by a bar from the one before. */
export function Distribution({ title, unit, marks, toolbar }: DistributionProps) {
  const table = () => ({
    columns: [title, t("chart.value")],
    rows: marks.map((mark) => [markName(mark.name), formatValue(mark.value, unit)]),
  });
  const isEmpty = marks.every((mark) => mark.value === null);
  return (
    <Figure title={title} summary={markSummary(unit, marks)} table={table} toolbar={toolbar} isEmpty={isEmpty}>
      <Marks title={title} unit={unit} marks={marks} />
    </Figure>
  );
}

function Marks({ title, unit, marks }: DistributionProps) {
  const track = useRef<HTMLDivElement>(null);
  const width = useWidth(track);
  const { at, ticks, isLogarithmic } = axisOf(marks, unit, width);
  const { stop, container } = useRoving(marks.length, 1);
  return (
    <div class="marks">
      <div class="marks-rows" role="group" aria-label={title} {...container}>
        {marks.map((mark, index) => {
          const before = marks[index - 1]?.value ?? mark.value ?? 0;
          return (
            <div
              key={mark.name}
              class="marks-row"
              role="img"
              data-index={index}
              tabIndex={index === stop ? 0 : -1}
              aria-label={nameOf(mark, unit)}
              title={explain(mark.name)}
            >
              <span class="marks-name">{markName(mark.name)}</span>
              <span class="marks-track">
                {ticks.map((tick) => <i key={tick} class="marks-tick" style={{ left: `${at(tick)}%` }} />)}
                {mark.value !== null && (
                  <>
                    <i class="marks-reach" style={{ left: `${at(before)}%`, width: `${Math.max(0, at(mark.value) - at(before))}%` }} />
                    <i class="marks-dot" style={{ left: `${at(mark.value)}%` }} />
                  </>
                )}
              </span>
              <span class="marks-value">{formatValue(mark.value, unit)}</span>
            </div>
          );
        })}
      </div>
      <div class="marks-axis" aria-hidden="true">
        <span class="marks-name" />
        <div class="marks-track" ref={track}>
          {ticks.map((tick) => <span key={tick} class="marks-label" style={{ left: `${at(tick)}%` }}>{formatTick(tick, unit)}</span>)}
        </div>
        <span class="marks-value" />
      </div>
      {isLogarithmic && <p class="marks-note">{t("chart.logarithmic")}</p>}
    </div>
  );
}

export interface MarkAxis {
  /** The place of a value in percent of the axis. */
  at(value: number): number;
  ticks: number[];
  isLogarithmic: boolean;
}

const DECADES: Partial<Record<Unit, number[]>> = { seconds: [0, 1, 10, 60, 600, 3600, 36_000, 360_000] };

/**
 * A linear axis from zero to the greatest value. One call of an hour among calls of a minute would
 * push all other quantiles into one spot, so the axis is logarithmic where the greatest is more
 * than ten times the third quartile.
 */
export function axisOf(marks: Mark[], unit: Unit, width: number): MarkAxis {
  const highest = max(marks, (mark) => mark.value) ?? 0;
  const lowest = Math.min(0, ...marks.map((mark) => mark.value ?? 0));
  const quartile = marks.find((mark) => mark.name === "p75")?.value;
  const isLogarithmic = quartile != null && lowest === 0 && highest > 10 * quartile && highest > 10;
  const all = isLogarithmic
    ? (DECADES[unit] ?? [0, 1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7]).filter((tick) => tick <= highest)
    : valueTicks(lowest, highest, unit);
  const end = isLogarithmic ? highest : all.at(-1)!;
  const scale = isLogarithmic ? linear(0, Math.log1p(end), 0, 100) : linear(all[0]!, end, 0, 100);
  const at = (value: number) => scale(isLogarithmic ? Math.log1p(value) : value);
  return { at, ticks: spaced(all, unit, at, width), isLogarithmic };
}

/** The ticks whose labels do not touch, from the first on. */
function spaced(ticks: number[], unit: Unit, at: (value: number) => number, width: number): number[] {
  let free = -Infinity;
  return ticks.filter((tick) => {
    const half = textWidth(formatTick(tick, unit)) / 2 + 4;
    const x = (at(tick) / 100) * width;
    if (x - half < free) return false;
    free = x + half;
    return true;
  });
}

function explain(name: string): string {
  return name.startsWith("p") ? t("chart.mark.below", { share: formatValue(Number(name.slice(1)), "percent") }) : "";
}

function nameOf(mark: Mark, unit: Unit): string {
  return [`${markName(mark.name)}: ${formatValue(mark.value, unit)}`, explain(mark.name)].filter(Boolean).join(", ");
}
