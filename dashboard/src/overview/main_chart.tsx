import { TimeChart } from "../charts/time_chart";
import { CsvButton } from "../controls/csv_button";
import { narrowTo } from "../state/periods";
import { leadsQuery, overviewQuery } from "../state/queries";
import { navigate, view, type View } from "../state/view";
import { t } from "../text/index";
import type { QueryBody } from "../api/types";
import type { OverviewData } from "./data";
import { Loaded } from "./loaded";
import { bucketIn, leadsObstacle, seriesOf, UNITS } from "./measures";

/** The chosen figure over time; a click on a point narrows the period to it. */
export function MainChart({ data }: { data: OverviewData }) {
  const { measure } = view.value;
  const title = t(`tile.${measure}`);
  // The buckets are those of the calls, also where leads are shown.
  const source = measure === "leads" && data.calls.state.value.data !== null ? data.leads : data.calls;
  const obstacle = measure === "leads" ? leadsObstacle(view.value) : "";
  return (
    <section class="card card-main">
      {obstacle !== "" ? (
        <div class="loaded size-main"><p class="card-note">{t("tile.no_leads_long", { field: obstacle })}</p></div>
      ) : (
        <Loaded title={title} state={source.state.value} onRetry={source.reload} size="size-main">
          {() => <Chart data={data} title={title} />}
        </Loaded>
      )}
    </section>
  );
}

function Chart({ data, title }: { data: OverviewData; title: string }) {
  const { measure } = view.value;
  const calls = data.calls.state.value.data?.body;
  if (calls === undefined) return null;
  const series = seriesOf(view.value, measure, calls, data.leads.state.value.data?.body ?? null);
  const bucket = bucketIn(calls);
  if (series === null || bucket === null) return <p class="card-note">{t("card.empty")}</p>;
  return (
    <TimeChart
      title={title} unit={UNITS[measure]} bucket={bucket} points={series.points}
      compared={calls.previous_totals !== undefined} total={series.total}
      {...(series.previous === undefined ? {} : { previousTotal: series.previous })}
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
