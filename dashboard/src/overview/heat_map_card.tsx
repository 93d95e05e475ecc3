import type { QueryAnswer } from "../api/types";
import { HeatMap } from "../charts/heat_map";
import type { Cell } from "../charts/types";
import { CsvButton } from "../controls/csv_button";
import * as filters from "../state/filters";
import { hoursQuery, measureIn } from "../state/queries";
import { navigate, view } from "../state/view";
import { t } from "../text/index";
import type { OverviewData } from "./data";
import { KeptTable } from "./kept_table";
import { Loaded } from "./loaded";

/** Calls by hour and weekday, local to the zone; a click filters by both. */
export function HeatMapCard({ data }: { data: OverviewData }) {
  const title = t("heat.title");
  return (
    <section class="card card-wide">
      <Loaded title={title} state={data.hours.state.value} onRetry={data.hours.reload} size="size-heat">
        {(answer) => (
          <KeptTable figure="heat">
            <HeatMap
              title={title} unit="count" onPick={pickHour} toolbar={<CsvButton title={title} body={hoursQuery(view.value)} />}
              cells={cellsOf(answer.body)}
            />
          </KeptTable>
        )}
      </Loaded>
    </section>
  );
}

/** The cells of the answer to `hoursQuery`. */
export function cellsOf(answer: QueryAnswer): Cell[] {
  return answer.rows.map((row) => ({
    hour: measureIn(row, "hour_of_day") ?? 0,
    weekday: measureIn(row, "day_of_week") ?? 1,
    value: measureIn(row, "calls") ?? 0,
  }));
}

/** Filter by an hour of a weekday, or by the hours up to it. */
export function pickHour(hour: number, weekday: number): void {
  navigate({ filters: filters.pickHour(view.peek().filters, weekday, hour) });
}
