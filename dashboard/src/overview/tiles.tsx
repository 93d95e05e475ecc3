import type { Measured } from "../api/types";
import { Sparkline } from "../charts/sparkline";
import { changeOf } from "../format/change";
import { formatBrief, formatValue, type Unit } from "../format/numbers";
import { MEASURES, navigate, view, type Measure } from "../state/view";
import { t } from "../text/index";
import type { OverviewData } from "./data";
import { ErrorNote } from "./error_note";
import { leadsObstacle, seriesOf, UNITS, type Series } from "./measures";

/** The eight figures; a click shows one of them in the main chart. */
export function Tiles({ data }: { data: OverviewData }) {
  const { data: calls, error, status, stale } = data.calls.state.value;
  const leads = data.leads.state.value;
  if (calls === null && error !== null) {
    return <div class="tiles-failed"><ErrorNote title={t("tile.label")} error={error} onRetry={data.calls.reload} /></div>;
  }
  const obstacle = leadsObstacle(view.value);
  const noteOf = (measure: Measure): string | null =>
    measure !== "leads" ? null
    : obstacle !== "" ? t("tile.no_leads")
    : leads.data === null && leads.error !== null ? t("error.title", { title: t("tile.leads") })
    : null;
  return (
    <div class={stale && error === null ? "tiles is-stale" : "tiles"} role="group" aria-label={t("tile.label")} aria-busy={status === "loading"}>
      {MEASURES.map((measure) => {
        const note = noteOf(measure);
        const series = calls === null || note !== null ? null
          : seriesOf(view.value, measure, calls.body, leads.data?.body ?? null);
        return <Tile key={measure} measure={measure} series={series} note={note} />;
      })}
    </div>
  );
}

interface TileProps {
  measure: Measure;
  /** Null while it loads, and where there is a note instead. */
  series: Series | null;
  note: string | null;
}

function Tile({ measure, series, note }: TileProps) {
  const unit = UNITS[measure];
  const title = t(`tile.${measure}`);
  return (
    <button
      type="button" class="tile" aria-pressed={view.value.measure === measure} title={t(`tile.hint.${measure}`)}
      onClick={() => navigate({ measure })}
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
          <Change series={series} measure={measure} />
          <Sparkline points={series.points.map(({ value }) => value)} unit={unit} label={t("tile.line", { title })} />
        </>
      )}
    </button>
  );
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
