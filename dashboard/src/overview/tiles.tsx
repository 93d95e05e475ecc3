import type { Measured } from "../api/types";
import { Sparkline } from "../charts/sparkline";
import { changeOf } from "../format/change";
import { formatBrief, formatValue, type Unit } from "../format/numbers";
import type { ResourceState } from "../state/resource";
import { MEASURES, navigate, view, type Measure } from "../state/view";
import { t } from "../text/index";
import type { OverviewData } from "./data";
import { ErrorNote } from "./error_note";
import { leadsObstacle, seriesState, UNITS, type Series } from "./measures";

/** The eight figures; a click shows one of them in the main chart. */
export function Tiles({ data }: { data: OverviewData }) {
  const [calls, leads] = [data.calls.state.value, data.leads.state.value];
  if (calls.data === null && calls.error !== null) {
    return <div class="tiles-failed"><ErrorNote title={t("tile.label")} error={calls.error} onRetry={data.calls.reload} /></div>;
  }
  return (
    <div class="tiles" role="group" aria-label={t("tile.label")} aria-busy={calls.status === "loading"}>
      {MEASURES.map((measure) => (
        <Tile
          key={measure} measure={measure} state={seriesState(view.value, measure, calls, leads)}
          isPossible={measure !== "leads" || leadsObstacle(view.value) === ""}
        />
      ))}
    </div>
  );
}

interface TileProps {
  measure: Measure;
  state: ResourceState<Series>;
  /** Whether the filters allow the figure. */
  isPossible: boolean;
}

function Tile({ measure, state, isPossible }: TileProps) {
  const unit = UNITS[measure];
  const title = t(`tile.${measure}`);
  const series = isPossible ? state.data : null;
  const note = noteOf(title, state, isPossible);
  return (
    <button
      type="button" class={series !== null && state.stale && state.error === null ? "tile is-stale" : "tile"} aria-pressed={view.value.measure === measure}
      title={t(`tile.hint.${measure}`)} onClick={() => navigate({ measure })}
    >
      <span class="tile-title">{title}</span>
      {series === null ? (
        <>
          <span class="tile-value">{note === null ? <span class="skeleton" /> : "–"}</span>
          <span class="tile-change">{note}</span>
        </>
      ) : (
        <>
          <Figure value={series.total} unit={unit} />
          {note === null ? <Change series={series} measure={measure} /> : <span class="tile-change">{note}</span>}
          <Sparkline points={series.points.map(({ value }) => value)} unit={unit} label={t("tile.line", { title })} />
        </>
      )}
    </button>
  );
}

/** What a tile says instead of the change: why it has no figure, or that its figure is of an earlier answer. */
function noteOf(title: string, { data, error }: ResourceState<Series>, isPossible: boolean): string | null {
  if (!isPossible) return t("tile.no_leads");
  if (error === null) return null;
  return data === null ? t("error.title", { title }) : t("tile.stale");
}

/** More characters than this do not fit in the usual size. */
const SHORT = 9;

function Figure({ value, unit }: { value: Measured; unit: Unit }) {
  const text = formatBrief(value, unit);
  return <span class={text.length > SHORT ? "tile-value is-long" : "tile-value"} title={formatValue(value, unit)}>{text}</span>;
}

function Change({ series, measure }: { series: Series; measure: Measure }) {
  if (series.previous === undefined) return <span class="tile-change" />;
  const { arrow, direction, text, words } = changeOf(series.total, series.previous, UNITS[measure]);
  if (direction === "none") return <span class="tile-change">{words}</span>;
  const before = formatBrief(series.previous, UNITS[measure]);
  return (
    <span class="tile-change">
      <strong><span aria-hidden="true">{arrow}</span> {text}</strong> <span>{t(`tile.${direction}`, { before })}</span>
    </span>
  );
}
