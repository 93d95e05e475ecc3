import type { ComponentChildren } from "preact";
import type { ResourceState } from "../state/resource";
import { t } from "../text/index";
import { ErrorNote, RetryButton, reasonOf } from "./error_note";

export interface LoadedProps<T> {
  title: string;
  state: ResourceState<T>;
  onRetry(): void | Promise<void>;
  /** A class that gives the place its final size. */
  size: string;
  children(data: T): ComponentChildren;
}

/** What a resource has, in all of its states: a skeleton of the final size, data, old data, an error. */
export function Loaded<T>({ title, state, onRetry, size, children }: LoadedProps<T>) {
  const { status, data, error, stale } = state;
  if (data === null) {
    return (
      <div class={`loaded ${size}`} aria-busy={status === "loading"}>
        {error === null ? <Skeleton title={title} /> : <ErrorNote title={title} error={error} onRetry={onRetry} />}
      </div>
    );
  }
  return (
    <div class={`loaded ${size}${stale && error === null ? " is-stale" : ""}`} aria-busy={status === "loading"}>
      {error !== null && (
        <p class="stale-note" role="status">
          {reasonOf(error)[0]} {t("error.stale")}
          <RetryButton onRetry={onRetry} plain />
        </p>
      )}
      {children(data)}
    </div>
  );
}

function Skeleton({ title }: { title: string }) {
  return (
    <>
      <p class="skeleton-title">{title}</p>
      <div class="skeleton" />
      <span class="only-read">{t("shell.loading")}</span>
    </>
  );
}
