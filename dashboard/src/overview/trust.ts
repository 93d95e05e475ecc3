import type { Audit } from "../api/types";
import { formatAgo, formatInstant } from "../format/dates";
import { decimal } from "../format/decimal";
import { localDay } from "../state/periods";
import type { ResourceState } from "../state/resource";
import { t } from "../text/index";
import type { TrustSource } from "./data";

/** Past so many seconds without a newer change the mark of freshness turns amber. */
const FRESH_S = 60;

export type Mark = "as_of" | "exact" | "read" | "audit";

export interface Part {
  mark: Mark;
  tone: "plain" | "good" | "warn" | "bad";
  text: string;
  why: string;
}

/** What was read for the figures on the page, and the newest change in them. */
export interface Reading {
  status: "loading" | "ready" | "failed";
  items: number;
  units: number;
  asOf: Date | null;
}

/** The sum over the answers that are shown. */
export function readingOf(source: TrustSource): Reading {
  const all = source.trusts();
  const times = all.flatMap(({ asOf }) => (asOf === null ? [] : [asOf.getTime()]));
  const sum = (name: "items" | "units") => all.reduce((total, trust) => total + (trust[name] ?? 0), 0);
  return {
    status: all.length > 0 ? "ready" : source.calls.state.value.error === null ? "loading" : "failed",
    items: sum("items"),
    units: sum("units"),
    asOf: times.length === 0 ? null : new Date(Math.max(...times)),
  };
}

/** The parts of the line, each with its explanation. */
export function trustParts(reading: Reading, audit: ResourceState<Audit>, zone: string, now: number): Part[] {
  if (reading.status === "loading") return [{ mark: "as_of", tone: "plain", text: t("shell.loading"), why: t("trust.why.loading") }];
  if (reading.status === "failed") return [{ mark: "as_of", tone: "plain", text: t("trust.failed"), why: t("trust.why.failed") }];
  return [
    freshness(reading.asOf, zone, now),
    exactness(audit.data),
    {
      mark: "read", tone: "plain", why: t("trust.why.read"),
      text: t("trust.read", { items: reading.items, units: decimal(reading.units) }),
    },
    audited(audit, zone, now),
  ];
}

function freshness(asOf: Date | null, zone: string, now: number): Part {
  if (asOf === null) return { mark: "as_of", tone: "plain", text: t("trust.as_of_none"), why: t("trust.why.as_of_none") };
  const isFresh = now - asOf.getTime() <= FRESH_S * 1000;
  return {
    mark: "as_of",
    tone: isFresh ? "good" : "warn",
    text: t("trust.as_of", { ago: formatAgo(asOf.toISOString(), now) }),
    why: t("trust.why.as_of", { time: formatInstant(asOf.toISOString(), zone, "full") }),
  };
}

function exactness(audit: Audit | null): Part {
  const isExact = audit === null || !hasDrift(audit);
  return {
    mark: "exact", tone: isExact ? "plain" : "bad", text: t(isExact ? "trust.exact" : "trust.not_exact"),
    why: t(isExact ? "trust.why.exact" : "trust.why.not_exact"),
  };
}

function audited({ data: audit, error }: ResourceState<Audit>, zone: string, now: number): Part {
  const part = (tone: Part["tone"], text: string, why: string): Part => ({ mark: "audit", tone, text, why });
  if (error !== null) return part("warn", t("trust.audit_failed"), t("trust.why.audit_failed"));
  if (audit === null || audit.last_run === null) return part("plain", t("trust.audit_never"), t("trust.why.audit_never"));
  const time = shortTime(audit.last_run, zone, now);
  const found = { time, count: audit.drift ?? 0 };
  const why = t("trust.why.audit", { facts: audit.facts ?? 0, rollups: audit.rollups ?? 0 });
  if (hasDrift(audit)) return part("bad", t("trust.audit_drift", found), why);
  if (found.count > 0) return part("warn", t("trust.audit_repaired", found), t("trust.why.audit_repaired"));
  if (audit.exact === false) return part("warn", t("trust.audit_unsettled", { time }), t("trust.why.audit_unsettled"));
  return part("good", t("trust.audit", { time }), why);
}

/** Drift that was found and not repaired. */
function hasDrift(audit: Audit): boolean {
  return (audit.drift ?? 0) > (audit.repaired ?? 0);
}

/** The time of today, else the date too. */
function shortTime(instant: string, zone: string, now: number): string {
  const isToday = localDay(zone, new Date(instant)) === localDay(zone, new Date(now));
  return formatInstant(instant, zone, isToday ? "time" : "short");
}
