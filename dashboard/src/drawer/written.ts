import { formatInstant } from "../format/dates";
import { formatDuration } from "../format/durations";
import { decimal } from "../format/decimal";
import { formatValue } from "../format/numbers";
import { named, t } from "../text/index";
import { bandOf, type Kind } from "./call_fields";

/** A value of a call as people read it, with its unit; instants in `zone`. */
export function written(kind: Kind, value: unknown, zone: string): string {
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
      return decimal(Number(value), { minimumFractionDigits: 2, maximumFractionDigits: 6 });
    case "score":
      return formatValue(Number(value), "score");
    case "band":
      return `${formatValue(Number(value), "score")}, ${named("value.sentiment_band", bandOf(Number(value)))}`;
    case "count":
      return formatValue(Number(value), "count");
    case "flag":
      return value === true ? t("filter.yes") : t("filter.no");
    case "status":
    case "disposition":
    case "direction":
      return named(`value.${kind}`, String(value));
    case "text":
      return String(value);
  }
}

const OWN = new Set(["started_at", "labels", "duration_seconds", "latency_ms", "id", "updated_at"]);

/** The name of a field: the filters', except where it says something of the filter's value, or there is none. */
export function fieldName(key: string): string {
  return named(OWN.has(key) ? "call.field" : "field", key);
}
