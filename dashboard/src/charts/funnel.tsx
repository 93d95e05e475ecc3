import { max } from "d3-array";
import { formatValue } from "../format/numbers";
import { t } from "../text";
import { Figure } from "./figure";
import { useRoving } from "./hooks";
import { formatShare, funnelSummary } from "./summary";
import type { FunnelProps, Stage } from "./types";

/** Stages one below the other, each as wide as its value, with the share that goes on to the next. */
export function Funnel({ title, stages, toolbar, onPick }: FunnelProps) {
  const widest = max(stages, (stage) => stage.value) || 1;
  const wide = ({ value }: Stage) => (100 * value) / widest;
  const { stop, container } = useRoving(stages.length, 1);
  const rows = stages.map((stage, index) => ({ stage, before: stages[index - 1], ofFirst: share(stage, stages[0]) }));
  const table = () => ({
    columns: [title, t("chart.value"), t("chart.of_first"), t("chart.of_previous")],
    rows: rows.map(({ stage, before, ofFirst }) => [stage.name, formatValue(stage.value, "count"), ofFirst, share(stage, before)]),
  });
  return (
    <Figure title={title} summary={funnelSummary(stages)} table={table} toolbar={toolbar} isEmpty={stages.every((stage) => stage.value === 0)}>
      <ol class="funnel" {...container}>
        {rows.map(({ stage, before, ofFirst }, index) => (
          <li key={stage.key}>
            {before && (
              <div class="funnel-step">
                <span class="funnel-shape" style={{ clipPath: funnelShape(wide(before), wide(stage)) }} />
                <span class="funnel-rate">↓ {t("chart.step", { share: share(stage, before) })}</span>
              </div>
            )}
            <button
              type="button"
              class="funnel-stage"
              data-index={index}
              tabIndex={index === stop ? 0 : -1}
              title={stage.name}
              onClick={() => onPick(stage.key)}
            >
              <span class="funnel-name">{stage.name}</span>
              <span class="funnel-track"><span class="funnel-fill" style={{ width: `${wide(stage)}%` }} /></span>
              <span class="funnel-value">
                {formatValue(stage.value, "count")}
                {before && <span class="funnel-share"><span class="only-read">{t("chart.of_first")}: </span>{ofFirst}</span>}
              </span>
              {before && <span class="only-read">{t("chart.of_previous")}: {share(stage, before)}</span>}
            </button>
          </li>
        ))}
      </ol>
    </Figure>
  );
}

/** The share of one stage in another; a dash where that is nothing. */
function share(stage: Stage, of: Stage | undefined): string {
  return of && of.value > 0 ? formatShare(stage.value / of.value) : formatValue(null, "percent");
}

/** What joins two bars that lie in the middle of the track, by their widths in percent. */
function funnelShape(above: number, below: number): string {
  const edge = (wide: number, side: 1 | -1) => `${50 + (side * wide) / 2}%`;
  return `polygon(${edge(above, -1)} 0, ${edge(above, 1)} 0, ${edge(below, 1)} 100%, ${edge(below, -1)} 100%)`;
}
