import type { SchemaField, Value } from "../api/types";
import { wordOf } from "../state/filters";

/** How the values of a filter are given. */
export type Kind = "none" | "list" | "number" | "range" | "text";

/** Numbers that are measured have no values to choose from. */
const MEASURED = /^(event\.|duration_seconds$|latency_ms$|sentiment$|cost$)/;

export function kindOf(field: SchemaField, word: string): Kind {
  if (word === "is_null" || word === "not_null") return "none";
  if (word === "between") return "range";
  if (word === "contains" || word === "starts_with") return "text";
  if (word === "is" || word === "is_not") return MEASURED.test(field.name) ? "number" : "list";
  return "number";
}

/** The words of the operators that a field has. */
export function wordsOf(field: SchemaField): string[] {
  return [...new Set(field.ops.map(wordOf))];
}

/** The values that stay when another word is chosen: those that are given in the same way. */
export function keptValues(field: SchemaField, before: string, after: string, values: Value[]): Value[] {
  return kindOf(field, before) === kindOf(field, after) ? values : [];
}
