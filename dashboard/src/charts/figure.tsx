import { createContext, type ComponentChildren } from "preact";
import { useContext, useId } from "preact/hooks";
import { t } from "../text";

/** The first column names the row. Cells are texts as the chart shows them. */
export interface Table {
  columns: string[];
  rows: string[][];
}

/** Whether the figures inside show their table, and how to change that; null: they have no table. */
export const TableChoice = createContext<{ asTable: boolean; onChange(asTable: boolean): void } | null>(null);

export interface FigureProps {
  title: string;
  summary: string;
  /** Made when it is asked for. */
  table(): Table;
  toolbar?: ComponentChildren;
  /** Nothing to draw: the sentence takes the chart's place. */
  isEmpty?: boolean;
  children: ComponentChildren;
}

/** A chart with its title, one sentence that sums it up, and the table behind it. */
export function Figure({ title, summary, table, toolbar, isEmpty = false, children }: FigureProps) {
  const id = useId();
  const choice = useContext(TableChoice);
  const asTable = choice?.asTable ?? false;
  return (
    <figure class="chart" aria-labelledby={id}>
      <figcaption class="chart-head">
        <h2 id={id} class="chart-title">{title}</h2>
        <div class="chart-tools">
          {toolbar}
          {!isEmpty && choice !== null && (
            <button
              type="button"
              class="chart-button"
              aria-label={t(asTable ? "chart.show_chart" : "chart.show_table", { title })}
              onClick={() => choice.onChange(!asTable)}
            >
              {t(asTable ? "chart.chart" : "chart.table")}
            </button>
          )}
        </div>
        {!isEmpty && <p class="chart-summary">{summary}</p>}
      </figcaption>
      {isEmpty ? <p class="chart-summary chart-none">{summary}</p>
        : asTable ? <TableView title={title} table={table()} />
        : children}
    </figure>
  );
}

function TableView({ title, table }: { title: string; table: Table }) {
  return (
    <div class="chart-table" role="region" aria-label={title} tabIndex={0}>
      <table>
        <thead>
          <tr>{table.columns.map((column) => <th key={column} scope="col">{column}</th>)}</tr>
        </thead>
        <tbody>
          {table.rows.map(([name, ...cells], row) => (
            <tr key={row}>
              <th scope="row">{name}</th>
              {cells.map((cell, column) => <td key={column}>{cell}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
