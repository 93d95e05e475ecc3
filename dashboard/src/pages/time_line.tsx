import type { QueryAnswer, QueryBody } from "../api/types";
import { TimeChart } from "../charts/time_chart";
import type { Unit } from "../charts/types";
import { CsvButton } from "../controls/csv_button";
import { KeptTable } from "../overview/kept_table";
import { bucketIn } from "../overview/measures";
import { narrowTo } from "../state/periods";
import { pointsOf } from "../state/queries";
import { navigate, view, type FigureId } from "../state/view";

export interface TimeLineProps {
  figure: FigureId;
  title: string;
  unit: Unit;
  measure: string;
  answer: QueryAnswer;
  /** The query whose answer this is; the CSV has its column of the measure. */
  body: QueryBody;
}

/** A measure over the period; a click on a point narrows the period to it. */
export function TimeLine({ figure, title, unit, measure, answer, body }: TimeLineProps) {
  const bucket = bucketIn(answer);
  if (bucket === null) return null;
  return (
    <KeptTable figure={figure}>
      <TimeChart
        title={title}
        unit={unit}
        bucket={bucket}
        points={pointsOf(answer, bucket, measure)}
        compared={answer.previous_totals !== undefined}
        total={answer.totals[measure] ?? null}
        previousTotal={answer.previous_totals?.[measure] ?? null}
        toolbar={<CsvButton title={title} body={{ ...body, measures: [measure] }} />}
        onPick={(label) => navigate({ period: narrowTo(label, bucket, view.peek().period, view.peek().zone, new Date()) })}
      />
    </KeptTable>
  );
}
