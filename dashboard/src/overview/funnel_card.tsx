import { Funnel } from "../charts/funnel";
import { CsvButton } from "../controls/csv_button";
import { leadsQuery, stagesOf } from "../state/queries";
import { navigate, view } from "../state/view";
import { t } from "../text/index";
import type { OverviewData } from "./data";
import { KeptTable } from "./kept_table";
import { Loaded } from "./loaded";
import { leadsObstacle } from "./measures";

/** How far the leads of the period have come; a click shows their number over time. */
export function FunnelCard({ data }: { data: OverviewData }) {
  const title = t("funnel.title");
  const obstacle = leadsObstacle(view.value);
  const body = leadsQuery(view.value, new Date());
  return (
    <section class="card">
      {body === null ? (
        <div class="loaded size-small">
          <div class="chart-head"><h3 class="chart-title">{title}</h3></div>
          <p class="card-note">{t("tile.no_leads_long", { field: obstacle })}</p>
        </div>
      ) : (
        <Loaded title={title} state={data.leads.state.value} onRetry={data.leads.reload} size="size-small">
          {(answer) => (
            <KeptTable figure="funnel">
              <Funnel
                title={title} stages={stagesOf(answer.body).map(({ key, value }) => ({ key, name: t(`funnel.${key}`), value }))}
                toolbar={<CsvButton title={title} body={{ ...body, dimensions: ["status"] }} />}
                onPick={() => navigate({ measure: "leads" })}
              />
            </KeptTable>
          )}
        </Loaded>
      )}
    </section>
  );
}
