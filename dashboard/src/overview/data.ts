import { batch, computed, signal, type ReadonlySignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { api, isRefused, type Answer, type Trust } from "../api/client";
import type { Audit, QueryAnswer, QueryBody } from "../api/types";
import {
  breakdownQuery, hoursQuery, isWhole, leadsQuery, overviewQuery, sharedDimensions, TOGETHER_MAX_CALLS,
} from "../state/queries";
import { resource, type Resource } from "../state/resource";
import { view } from "../state/view";
import { Followers, type Figures } from "./followers";

export const LIVE_MS = 5_000;
const AUDIT_MS = 300_000;

export type Loaded = Resource<Answer<QueryAnswer>>;

/** What the trust line is about: the figures of a page. */
export interface TrustSource {
  /** The answer without which there are no figures. */
  calls: Loaded;
  /** What the answers that are shown say of themselves. */
  trusts(): Trust[];
  audit: Resource<Audit>;
}

/**
 * What the overview shows: four queries, and one more for each card that cannot share theirs. `calls` are by time,
 * with the totals of the tiles, the distribution and the events.
 */
export interface OverviewData extends TrustSource {
  leads: Loaded;
  hours: Loaded;
  /** Calls by the open tabs of three cards at once. */
  together: Loaded;
  /** Whether the number of calls is known, on which it depends how cards ask. */
  isCounted: ReadonlySignal<boolean>;
  /** Whether each card has to ask for itself; while the calls of another view are counted, as for the view before. */
  isApart: ReadonlySignal<boolean>;
  /** Rises when the figures beside `calls` are to be loaded again. */
  round: ReadonlySignal<number>;
  /** The answers of cards that asked for themselves, by card. */
  apart: ReadonlySignal<Record<string, Trust>>;
  report(card: string, trust: Trust | null): void;
  reload(): void;
}

const ask = (body: QueryBody, signal: AbortSignal) => api.query(body, signal);

export function useOverview(): OverviewData {
  const { data, dispose, follow } = useMemo(loadOverview, []);
  useEffect(() => dispose, []);
  useLive(data, follow);
  return data;
}

/** The resources of the overview, and how those beside the calls are loaded again. */
export function loadOverview() {
  const calls = resource(() => overviewQuery(view.value, new Date()), ask);
  const leads = resource(() => leadsQuery(view.value, new Date()), ask);
  const hours = resource(() => hoursQuery(view.value), ask);
  // Until the number of calls is known, the cards do not ask; when it cannot be known, they ask together.
  const isCounted = computed(() => calls.state.value.status !== "loading");
  const isMany = computed(() => (calls.state.value.data?.body.totals["calls"] ?? 0) > TOGETHER_MAX_CALLS);
  const together = resource(
    () => (isCounted.value && !isMany.value ? breakdownQuery(view.value, sharedDimensions(view.value)) : null), ask,
  );
  const isApart = computed(() => {
    const { data } = together.state.value;
    return isMany.value || (data !== null && !isWhole(data.body));
  });
  const audit = resource(() => "audit", async (_, signal) => (await api.audit(signal)).body);
  const round = signal(0);
  const apart = signal<Record<string, Trust>>({});

  const follow = () => batch(() => {
    round.value += 1;
    for (const one of [leads, hours, together]) if (!isRefused(one.state.peek().error)) void one.reload();
  });
  /** Answers stay when they are no longer wanted, and are not shown then. */
  const shown = () => [
    calls, hours,
    ...(leadsQuery(view.value, new Date()) === null ? [] : [leads]),
    ...(isApart.value ? [] : [together]),
  ];
  const data: OverviewData = {
    calls, leads, hours, together, isCounted, isApart, audit, round, apart,
    trusts: () => [
      ...shown().flatMap((one) => one.state.value.data?.trust ?? []),
      ...Object.values(apart.value),
    ],
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

/** What the calls' answer shows; null while it is not there. */
function figuresOf(data: OverviewData): Figures | null {
  const { data: answer, status } = data.calls.state.peek();
  if (answer === null || status !== "ready") return null;
  const { totals } = answer.body;
  return {
    query: JSON.stringify(overviewQuery(view.peek(), new Date())),
    calls: totals["calls"] ?? 0,
    content: JSON.stringify([totals, answer.body.period, answer.trust.asOf]),
  };
}

/** Ask for the calls again and again; for the rest when they have changed, and not too often. */
function useLive(data: OverviewData, follow: () => void): void {
  useEffect(() => {
    const followers = new Followers();
    let audited = Date.now();

    const refresh = async () => {
      const wasDue = followers.see(figuresOf(data), Date.now());
      await data.calls.reload();
      const isFollowing = followers.see(figuresOf(data), Date.now()) || wasDue;
      if (isFollowing) follow();
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
