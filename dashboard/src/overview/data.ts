import { batch, computed, signal, type ReadonlySignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { api, ApiError, type Answer, type Trust } from "../api/client";
import type { Audit, QueryAnswer, QueryBody } from "../api/types";
import {
  breakdownQuery, hoursQuery, isWhole, leadsQuery, overviewQuery, sharedDimensions, TOGETHER_MAX_CALLS,
} from "../state/queries";
import { resource, type Resource } from "../state/resource";
import { view } from "../state/view";

export const LIVE_MS = 5_000;
const FOLLOW_MS = 60_000;
const AUDIT_MS = 300_000;

export type Loaded = Resource<Answer<QueryAnswer>>;

/** What the overview shows: four queries, and one more for each card that cannot share theirs. */
export interface OverviewData {
  /** Calls by time; the totals of the tiles, the distribution and the events. */
  calls: Loaded;
  leads: Loaded;
  hours: Loaded;
  /** Calls by the open tabs of three cards at once. */
  together: Loaded;
  /** Whether each card has to ask for itself. */
  isApart: ReadonlySignal<boolean>;
  audit: Resource<Audit>;
  /** Rises when the figures beside `calls` are to be loaded again. */
  round: ReadonlySignal<number>;
  /** The answers of cards that asked for themselves, by card. */
  apart: ReadonlySignal<Record<string, Trust>>;
  report(card: string, trust: Trust | null): void;
  reload(): void;
}

const ask = (body: QueryBody, signal: AbortSignal) => api.query(body, signal);

export function useOverview(): OverviewData {
  const { data, dispose, follow } = useMemo(load, []);
  useEffect(() => dispose, []);
  useLive(data, follow);
  return data;
}

function load() {
  const calls = resource(() => overviewQuery(view.value, new Date()), ask);
  const leads = resource(() => leadsQuery(view.value, new Date()), ask);
  const hours = resource(() => hoursQuery(view.value), ask);
  // Until the number of calls is known, the cards do not ask; when it cannot be known, they ask together.
  const isMany = computed(() => {
    const { status, data } = calls.state.value;
    if (status === "loading") return null;
    return status === "ready" && (data?.body.totals["calls"] ?? 0) > TOGETHER_MAX_CALLS;
  });
  const together = resource(() => (isMany.value === false ? breakdownQuery(view.value, sharedDimensions(view.value)) : null), ask);
  const isApart = computed(() => {
    const { data } = together.state.value;
    return isMany.value === true || (data !== null && !isWhole(data.body));
  });
  const audit = resource(() => "audit", async (_, signal) => (await api.audit(signal)).body);
  const round = signal(0);
  const apart = signal<Record<string, Trust>>({});

  const follow = () => batch(() => {
    round.value += 1;
    for (const one of [leads, hours, together]) void one.reload();
  });
  const data: OverviewData = {
    calls, leads, hours, together, isApart, audit, round, apart,
    report(card, trust) {
      const { [card]: _, ...others } = apart.peek();
      apart.value = trust === null ? others : { ...others, [card]: trust };
    },
    reload() {
      void calls.reload();
      void audit.reload();
      follow();
    },
  };
  const dispose = () => {
    for (const one of [calls, leads, hours, together]) one.dispose();
    audit.dispose();
  };
  return { data, dispose, follow };
}

const bodyNow = (): string => JSON.stringify(overviewQuery(view.peek(), new Date()));

/** What differs when calls have changed; null while they are not loaded. */
function figuresOf(data: OverviewData): string | null {
  const { data: answer, status } = data.calls.state.peek();
  return answer === null || status !== "ready" ? null : JSON.stringify([answer.body.totals, answer.trust.asOf]);
}

/** Whether the cards show less than half of the calls, as while an organisation is being filled. */
function isFarBehind(data: OverviewData): boolean {
  const [all, shown] = [data.calls, data.together].map((one) => one.state.peek().data?.body.totals["calls"]);
  return all != null && shown != null && shown * 2 < all;
}

/** Whether the same query would be refused again: it is too large, or not permitted. */
function isRefused(error: Error | null): boolean {
  return error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429;
}

/** Ask for the calls again and again; for the rest when they have changed, and not too often. */
function useLive(data: OverviewData, follow: () => void): void {
  useEffect(() => {
    let followed = Date.now();
    let audited = Date.now();
    let isBehind = false;

    const refresh = async () => {
      const [body, before] = [bodyNow(), figuresOf(data)];
      await data.calls.reload();
      const after = figuresOf(data);
      // After a change of the view everything is loaded anyway.
      isBehind ||= body === bodyNow() && before !== null && after !== null && before !== after;
      const isFollowing = isBehind && (Date.now() - followed >= FOLLOW_MS || isFarBehind(data));
      if (isFollowing) {
        isBehind = false;
        followed = Date.now();
        follow();
      }
      const isAudited = data.audit.state.peek().data?.last_run != null;
      if (Date.now() - audited >= AUDIT_MS || (isFollowing && !isAudited)) {
        audited = Date.now();
        void data.audit.reload();
      }
    };

    let timer: ReturnType<typeof setTimeout>;
    const next = () => {
      timer = setTimeout(async () => {
        const isWanted = view.peek().live && document.visibilityState === "visible";
        if (isWanted && !isRefused(data.calls.state.peek().error)) await refresh();
        if (!isOver) next();
      }, LIVE_MS);
    };
    let isOver = false;
    next();
    const onOnline = () => data.reload();
    addEventListener("online", onOnline);
    return () => {
      isOver = true;
      clearTimeout(timer);
      removeEventListener("online", onOnline);
    };
  }, [data]);
}

/** The sum of what was read for the figures on the page, and the newest change in them. */
export function trustOf(data: OverviewData): { items: number; units: number; asOf: Date | null } {
  const answers = [data.calls, data.leads, data.hours, data.together].map((one) => one.state.value.data?.trust);
  const all = [...answers, ...Object.values(data.apart.value)].filter((trust) => trust !== undefined);
  const times = all.flatMap(({ asOf }) => (asOf === null ? [] : [asOf.getTime()]));
  const sum = (name: "items" | "units") => all.reduce((total, trust) => total + (trust[name] ?? 0), 0);
  return {
    items: sum("items"),
    units: sum("units"),
    asOf: times.length === 0 ? null : new Date(Math.max(...times)),
  };
}
