import type { ComponentChildren } from "preact";
import { TableChoice } from "../charts/figure";
import { navigate, view, withTable, type FigureId } from "../state/view";

/** A figure for which the address holds whether it shows its chart or its table. */
export function KeptTable({ figure, children }: { figure: FigureId; children: ComponentChildren }) {
  const asTable = view.value.tables.includes(figure);
  const onChange = (isShown: boolean) => navigate({ tables: withTable(view.peek().tables, figure, isShown) }, "replace");
  return <TableChoice.Provider value={{ asTable, onChange }}>{children}</TableChoice.Provider>;
}
