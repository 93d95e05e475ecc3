import { effect, signal, untracked, type ReadonlySignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";

/** `data` stays while a newer request is on its way, or has failed: `stale` is then true. */
export interface ResourceState<T> {
  status: "loading" | "ready" | "failed";
  data: T | null;
  error: Error | null;
  stale: boolean;
}

/** The data of the present request; null while it is not there, even if an older one's is. */
export function currentOf<T>({ data, stale }: ResourceState<T>): T | null {
  return stale ? null : data;
}

export interface Resource<T> {
  state: ReadonlySignal<ResourceState<T>>;
  /** Load the same request again, or wait for it while it is on its way; data that is shown stays until then. */
  reload(): Promise<void>;
  dispose(): void;
}

/**
 * What `load` gives for the request; loads again when the request differs (as JSON) from the last one, and
 * aborts that one. While the request is null nothing is loaded.
 */
export function resource<R, T>(
  request: () => R | null, load: (request: R, signal: AbortSignal) => Promise<T>,
): Resource<T> {
  const state = signal<ResourceState<T>>({ status: "loading", data: null, error: null, stale: false });
  let running = new AbortController();
  let loading: Promise<void> | null = null;
  let last: string | null = null;
  let wanted: R | null = null;

  const run = async (signal: AbortSignal): Promise<void> => {
    if (wanted === null) return;
    try {
      const data = await load(wanted, signal);
      if (!signal.aborted) state.value = { status: "ready", data, error: null, stale: false };
    } catch (error) {
      if (signal.aborted || !(error instanceof Error)) return;
      const { data } = state.peek();
      state.value = { status: "failed", data, error, stale: data !== null };
    }
  };

  const start = (): Promise<void> => {
    running.abort();
    running = new AbortController();
    const { signal } = running;
    const mine = run(signal).finally(() => {
      if (!signal.aborted) loading = null;
    });
    loading = mine;
    return mine;
  };

  const stop = effect(() => {
    wanted = request();
    const text = wanted === null ? null : JSON.stringify(wanted);
    if (text === last) return;
    last = text;
    untracked(() => {
      const { data } = state.peek();
      state.value = { status: "loading", data, error: null, stale: data !== null };
      void start();
    });
  });

  return {
    state,
    reload: () => loading ?? start(),
    dispose() {
      stop();
      running.abort();
    },
  };
}

/** A resource that lives as long as its component. `request` may read signals and, by `inputs`, properties. */
export function useResource<R, T>(
  request: () => R | null, load: (request: R, signal: AbortSignal) => Promise<T>, inputs: unknown[] = [],
): Resource<T> {
  const made = useMemo(() => resource(request, load), inputs);
  useEffect(() => () => made.dispose(), [made]);
  return made;
}
