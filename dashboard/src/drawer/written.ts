import type { Value } from "../api/types";
import { formatInstant } from "../format/dates";
import { decimal } from "../format/decimal";
import { formatDuration } from "../format/durations";
import * as names from "../state/names";
import { named } from "../text/index";
import { bandOf, type Kind } from "./call_fields";

const THOUSANDTHS = { minimumFractionDigits: 3, maximumFractionDigits: 3 };
const MILLIONTHS = { minimumFractionDigits: 2, maximumFractionDigits: 6 };

/** A value of a field as people read it, with its unit; instants in `zone`. */
export function written(kind: Kind, field: string, value: Value, zone: string): string {
  switch (kind) {
    case "instant":
      return formatInstant(String(value), zone, "full");
    case "minute":
      return formatInstant(String(value), zone, "short");
    case "seconds":
      return formatDuration(Number(value));
    case "milliseconds":
      return `${decimal(Number(value))}\u00a0ms`;
    case "money":
      return decimal(Number(value), MILLIONTHS);
    case "score":
      return decimal(Number(value), THOUSANDTHS);
    case "band":
      return `${decimal(Number(value), THOUSANDTHS)}, ${names.valueName("sentiment_band", bandOf(Number(value)))}`;
    case "name":
      return names.valueName(field, value);
  }
}

const OWN = new Set(["started_at", "labels", "duration_seconds", "latency_ms", "id", "updated_at"]);

/** The name of a field: as filters have it, except where theirs says something of a filter's value. */
export function fieldName(key: string): string {
  return OWN.has(key) ? named("call.field", key) : names.fieldName(key);
}
