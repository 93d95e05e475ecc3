import { Distribution } from "../charts/distribution";
import { CsvButton } from "../controls/csv_button";
import { MARKS, overviewQuery, scopeOf } from "../state/queries";
import { view } from "../state/view";
import { t } from "../text/index";
import type { OverviewData } from "./data";
import { KeptTable } from "./kept_table";
import { Loaded } from "./loaded";

const MEASURES = MARKS.map((mark) => `${mark}_duration`);

/** How long calls are, from the shortest to the longest. */
export function DistributionCard({ data }: { data: OverviewData }) {
  const title = t("spread.title");
  const { compare } = overviewQuery(view.value, new Date());
  const body = { ...scopeOf(view.value), measures: MEASURES, ...(compare === undefined ? {} : { compare }) };
  return (
    <section class="card">
      <Loaded title={title} state={data.calls.state.value} onRetry={data.calls.reload} size="size-small">
        {(answer) => (
          <KeptTable figure="spread">
            <Distribution
              title={title} unit="seconds" toolbar={<CsvButton title={title} body={body} />}
              marks={MARKS.map((name) => ({ name, value: answer.body.totals[`${name}_duration`] ?? null }))}
            />
          </KeptTable>
        )}
      </Loaded>
    </section>
  );
}
