import { effect, signal, untracked, type ReadonlySignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";

/** `data` stays while a newer request is on its way, or has failed: `stale` is then true. */
export interface ResourceState<T> {
  status: "loading" | "ready" | "failed";
  data: T | null;
  error: Error | null;
  stale: boolean;
}

export interface Resource<T> {
  state: ReadonlySignal<ResourceState<T>>;
  /** Load the same request again; data that is shown stays until the answer is there. */
  reload(): void;
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
  let last: string | null = null;
  let wanted: R | null = null;

  const start = async (isNew: boolean): Promise<void> => {
    running.abort();
    const mine = (running = new AbortController());
    if (wanted === null) return;
    if (isNew) state.value = { ...state.peek(), status: "loading", stale: state.peek().data !== null };
    try {
      const data = await load(wanted, mine.signal);
      if (!mine.signal.aborted) state.value = { status: "ready", data, error: null, stale: false };
    } catch (error) {
      if (mine.signal.aborted || !(error instanceof Error)) return;
      const { data } = state.peek();
      state.value = { status: "failed", data, error, stale: data !== null };
    }
  };

  const stop = effect(() => {
    wanted = request();
    const text = wanted === null ? null : JSON.stringify(wanted);
    if (text === last) return;
    last = text;
    untracked(() => void start(true));
  });

  return {
    state,
    reload: () => void start(false),
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
