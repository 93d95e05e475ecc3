import { useEffect, useState } from "preact/hooks";
import type { Audit } from "../api/types";
import { formatAgo, formatInstant } from "../format/dates";
import { decimal } from "../format/decimal";
import { localDay } from "../state/periods";
import { view } from "../state/view";
import { t } from "../text/index";
import { trustOf, type OverviewData } from "./data";

/** Past so many seconds without a newer change the mark of freshness turns amber. */
const FRESH_S = 60;
/** The address of docs/exactness.md; the build replaces it. */
declare const EXACTNESS: string;

type Mark = "as_of" | "exact" | "read" | "audit";
type Tone = "plain" | "good" | "warn" | "bad";

interface Part {
  mark: Mark;
  tone: Tone;
  text: string;
  why: string;
}

/** How fresh and how exact the figures are; a click on a part explains it. */
export function TrustLine({ data }: { data: OverviewData }) {
  const now = useNow();
  const [shown, setShown] = useState<Mark | null>(null);
  const parts = partsOf(data, now);
  const open = parts.find(({ mark }) => mark === shown);
  return (
    <section class="trust" aria-label={t("trust.label")}>
      <ul class="trust-parts">
        {parts.map(({ mark, tone, text }) => (
          <li key={mark}>
            <button
              type="button" class={`trust-part is-${tone}`} aria-expanded={shown === mark}
              aria-controls={shown === mark ? "trust-why" : undefined} onClick={() => setShown(shown === mark ? null : mark)}
            >
              {text}
            </button>
          </li>
        ))}
      </ul>
      {open !== undefined && (
        <p class="trust-why" id="trust-why" role="status">
          {open.why} <a href={EXACTNESS} target="_blank" rel="noreferrer">{t("trust.more")}</a>
        </p>
      )}
    </section>
  );
}

function partsOf(data: OverviewData, now: number): Part[] {
  const trust = trustOf(data);
  const audit = data.audit.state.value;
  const isThere = trust.items > 0 || data.calls.state.value.data !== null;
  if (!isThere) {
    const text = data.calls.state.value.error === null ? t("shell.loading") : t("trust.failed");
    return [{ mark: "as_of", tone: "plain", text, why: t("trust.why.exact") }];
  }
  return [
    freshness(trust.asOf, now),
    exactness(audit.data),
    {
      mark: "read", tone: "plain", why: t("trust.why.read"),
      text: t("trust.read", { items: trust.items, units: decimal(trust.units) }),
    },
    audited(audit.data, audit.error !== null),
  ];
}

function freshness(asOf: Date | null, now: number): Part {
  if (asOf === null) return { mark: "as_of", tone: "plain", text: t("trust.as_of_none"), why: t("trust.why.exact") };
  const isFresh = now - asOf.getTime() <= FRESH_S * 1000;
  return {
    mark: "as_of",
    tone: isFresh ? "good" : "warn",
    text: t("trust.as_of", { ago: formatAgo(asOf.toISOString(), now) }),
    why: t("trust.why.as_of", { time: formatInstant(asOf.toISOString(), view.value.zone, "full") }),
  };
}

function exactness(audit: Audit | null): Part {
  const isExact = audit === null || !hasDrift(audit);
  return {
    mark: "exact", tone: isExact ? "plain" : "bad", text: t(isExact ? "trust.exact" : "trust.not_exact"),
    why: t(isExact ? "trust.why.exact" : "trust.why.not_exact"),
  };
}

function audited(audit: Audit | null, hasFailed: boolean): Part {
  const never: Part = { mark: "audit", tone: "plain", text: t("trust.audit_never"), why: t("trust.why.audit_never") };
  if (audit === null) return hasFailed ? { ...never, tone: "warn", text: t("trust.audit_failed") } : never;
  if (audit.last_run === null) return never;
  const time = shortTime(audit.last_run);
  const drift = audit.drift ?? 0;
  const why = t("trust.why.audit", { facts: audit.facts ?? 0, rollups: audit.rollups ?? 0 });
  if (hasDrift(audit)) return { mark: "audit", tone: "bad", text: t("trust.audit_drift", { time, count: drift }), why };
  if (audit.exact === false) return { mark: "audit", tone: "warn", text: t("trust.audit_unsettled", { time }), why };
  return { mark: "audit", tone: "good", text: t("trust.audit", { time }), why };
}

/** Drift that was found and not repaired. */
function hasDrift(audit: Audit): boolean {
  return (audit.drift ?? 0) > (audit.repaired ?? 0);
}

/** The time of today, else the date too. */
function shortTime(instant: string): string {
  const { zone } = view.value;
  const isToday = localDay(zone, new Date(instant)) === localDay(zone, new Date());
  return formatInstant(instant, zone, isToday ? "time" : "short");
}

function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
