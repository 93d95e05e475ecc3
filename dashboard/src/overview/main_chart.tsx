import { TimeChart } from "../charts/time_chart";
import { CsvButton } from "../controls/csv_button";
import { narrowTo } from "../state/periods";
import { leadsQuery, overviewQuery } from "../state/queries";
import { navigate, view, type View } from "../state/view";
import { t } from "../text/index";
import type { QueryAnswer, QueryBody } from "../api/types";
import type { OverviewData } from "./data";
import { KeptTable } from "./kept_table";
import { Loaded } from "./loaded";
import { bucketIn, leadsObstacle, seriesState, UNITS, type Series } from "./measures";

/** The chosen figure over time; a click on a point narrows the period to it. */
export function MainChart({ data }: { data: OverviewData }) {
  const { measure } = view.value;
  const title = t(`tile.${measure}`);
  const [calls, leads] = [data.calls.state.value, data.leads.state.value];
  const obstacle = measure === "leads" ? leadsObstacle(view.value) : "";
  const retry = async () => {
    await Promise.all([calls.error !== null && data.calls.reload(), leads.error !== null && data.leads.reload()]);
  };
  return (
    <section class="card card-main">
      {obstacle !== "" ? (
        <div class="loaded size-main"><p class="card-note">{t("tile.no_leads_long", { field: obstacle })}</p></div>
      ) : (
        <Loaded title={title} state={seriesState(view.value, measure, calls, leads)} onRetry={retry} size="size-main">
          {(series) => <KeptTable figure="main"><Chart series={series} calls={calls.data!.body} title={title} /></KeptTable>}
        </Loaded>
      )}
    </section>
  );
}

/** The buckets are those of the calls, also where leads are shown. */
function Chart({ series, calls, title }: { series: Series; calls: QueryAnswer; title: string }) {
  const { measure } = view.value;
  const bucket = bucketIn(calls);
  if (bucket === null) return <p class="card-note">{t("card.empty")}</p>;
  return (
    <TimeChart
      title={title} unit={UNITS[measure]} bucket={bucket} points={series.points}
      compared={calls.previous_totals !== undefined} total={series.total} previousTotal={series.previous ?? null}
      toolbar={<CsvButton title={title} body={csvBody(view.value)} />}
      onPick={(label) => navigate({ period: narrowTo(label, bucket, view.peek().period, view.peek().zone, new Date()) })}
    />
  );
}

function csvBody(shown: View): QueryBody {
  const now = new Date();
  if (shown.measure !== "leads") return { ...overviewQuery(shown, now), measures: [shown.measure] };
  const body = leadsQuery(shown, now) ?? overviewQuery(shown, now);
  return { ...body, measures: ["leads"], dimensions: body.dimensions!.slice(0, 1) };
}
