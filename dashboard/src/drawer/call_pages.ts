/** An endless list of calls: pages by cursor, one request at a time. */
import { type Signal, signal } from "@preact/signals";

export interface CallPage<Call> {
  calls: Call[];
  next: string | null;
}

/** Reads the page that `cursor` names, or the first; rejects when `signal` aborts it. */
export type ReadPage<Call> = (cursor: string | null, signal: AbortSignal) => Promise<CallPage<Call>>;

export class CallPages<Call> {
  readonly calls: Signal<Call[]> = signal([]);
  readonly status: Signal<"loading" | "ready" | "failed"> = signal("loading");
  /** What the last request failed with, while `status` is "failed". */
  readonly error: Signal<Error | null> = signal(null);
  /** Whether there is a further page. */
  readonly hasMore: Signal<boolean> = signal(false);

  #read: ReadPage<Call> | null = null;
  #next: string | null = null;
  #running: AbortController | null = null;

  /** Forgets the calls and loads the first page of another list. */
  start(read: ReadPage<Call>): Promise<void> {
    this.stop();
    this.#read = read;
    this.#next = null;
    this.calls.value = [];
    this.hasMore.value = false;
    return this.#load();
  }

  /** Loads the next page; while one is loading, after a failure or at the end it does nothing. */
  async more(): Promise<void> {
    if (this.status.value === "ready" && this.hasMore.value) await this.#load();
  }

  /** Repeats the request that failed; the calls that are there stay. */
  async retry(): Promise<void> {
    if (this.status.value === "failed") await this.#load();
  }

  /** Aborts the running request; its answer changes nothing any more. */
  stop(): void {
    this.#running?.abort();
    this.#running = null;
  }

  async #load(): Promise<void> {
    const running = new AbortController();
    this.#running = running;
    this.status.value = "loading";
    this.error.value = null;
    try {
      const page = await this.#read!(this.#next, running.signal);
      if (this.#running !== running) return;
      this.#next = page.next;
      this.hasMore.value = page.next !== null;
      this.calls.value = [...this.calls.value, ...page.calls];
      this.status.value = "ready";
    } catch (error) {
      if (this.#running !== running) return;
      this.error.value = error instanceof Error ? error : new Error(String(error));
      this.status.value = "failed";
    }
  }
}
