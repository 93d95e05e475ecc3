import { useEffect } from "preact/hooks";
import { api, isRefused, type Answer } from "../api/client";
import type { Audit, QueryAnswer } from "../api/types";
import { useOnline } from "../drawer/online";
import type { TrustSource } from "../overview/data";
import { useResource, type Resource } from "../state/resource";
import { view } from "../state/view";

const REFRESH_MS = 5_000;
export const FOLLOW_MS = 60_000;
export const AUDIT_MS = 300_000;

type Figures = Resource<Answer<QueryAnswer>>;

/**
 * Keeps a page's figures up to date, and gives what the trust line shows of them. While the view is live and can be
 * seen, `first` is loaded every five seconds; all are when the connection is back.
 */
export function useLive(first: Figures, others: Figures[]): TrustSource {
  const audit = useResource(() => "audit", async (_, signal) => (await api.audit(signal)).body);
  useOnline(() => {
    for (const one of [first, ...others, audit]) void one.reload();
  });
  useRefresh(() => refresher(first, others, audit), [first]);
  const trusts = () => [first, ...others].flatMap((one) => one.state.value.data?.trust ?? []);
  return { calls: first, audit, trusts };
}

/** Calls what `make` gives every five seconds while the view is live and can be seen. */
export function useRefresh(make: () => () => Promise<void>, inputs: unknown[]): void {
  useEffect(() => {
    const refresh = make();
    let timer: ReturnType<typeof setTimeout>;
    let isOver = false;
    const next = () => {
      timer = setTimeout(async () => {
        if (view.peek().live && document.visibilityState === "visible") await refresh();
        if (!isOver) next();
      }, REFRESH_MS);
    };
    next();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, inputs);
}

/**
 * What one refresh does: loads `first`; the others when it has changed, at most once a minute; the audit every five
 * minutes. What the API has refused is not asked again.
 */
export function refresher(
  first: Figures, others: Figures[], audit: Resource<Audit>, now: () => number = Date.now,
): () => Promise<void> {
  let [followed, audited] = [now(), now()];
  let isBehind = false;
  return async () => {
    if (hasRefusal(first)) return;
    const before = figuresOf(first);
    await first.reload();
    const after = figuresOf(first);
    isBehind ||= before !== null && after !== null && before !== after;
    if (isBehind && now() - followed >= FOLLOW_MS) {
      isBehind = false;
      followed = now();
      for (const one of others) if (!hasRefusal(one)) void one.reload();
    }
    if (now() - audited >= AUDIT_MS && !hasRefusal(first)) {
      audited = now();
      void audit.reload();
    }
  };
}

const hasRefusal = (one: Figures): boolean => isRefused(one.state.peek().error);

/** What differs when records have changed; null while it is not loaded. */
function figuresOf(one: Figures): string | null {
  const { data, status } = one.state.peek();
  return data === null || status !== "ready" ? null : JSON.stringify([data.body.totals, data.trust.asOf]);
}
