import { toLocal, type CustomPeriod } from "../state/periods";
import { bucketName, formatLabel, formatTimes, labelDate } from "./dates";

/** A custom period in the view's zone: one hour, one day, or from one day or time to another. */
export function periodName(period: CustomPeriod, zone: string): string {
  const [from, to] = [toLocal(period.from, zone), toLocal(period.to, zone)];
  if (from.length === 10 && to.length === 10) {
    return from === to ? bucketName(from, "day", true) : `${shortDay(from)} – ${shortDay(to)}`;
  }
  const isHour = from.slice(0, 13) === to.slice(0, 13) && from.slice(14, 19) === "00:00" && to.slice(14, 19) === "59:59";
  return isHour ? bucketName(from, "hour") : formatTimes(labelDate(from), endOf(to));
}

function shortDay(day: string): string {
  return formatLabel(labelDate(day), { day: "numeric", month: "short", year: "numeric" });
}

/** The end of the last minute, because a bound is inclusive: "14:30" for 14:29:59. */
function endOf(to: string): Date {
  const minute = labelDate(to.length === 10 ? `${to}T23:59` : to);
  return to.length === 10 || to.slice(17, 19) === "59" ? new Date(minute.getTime() + 60_000) : minute;
}
