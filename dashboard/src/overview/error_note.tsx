import { useState } from "preact/hooks";
import { ApiError, Offline } from "../api/client";
import { t } from "../text/index";

export interface ErrorNoteProps {
  title: string;
  error: Error;
  onRetry(): void | Promise<void>;
}

/** What failed, why, what to do, and the request's id, in the place of what it hides. */
export function ErrorNote({ title, error, onRetry }: ErrorNoteProps) {
  const requestId = error instanceof ApiError ? error.requestId : null;
  const [reason, advice] = reasonOf(error);
  return (
    <div class="error" role="alert">
      <p class="error-title">{t("error.title", { title })}</p>
      <p>{reason}</p>
      {advice !== null && <p>{advice}</p>}
      {requestId !== null && <p class="error-id">{t("error.request", { id: requestId })}</p>}
      <RetryButton onRetry={onRetry} />
    </div>
  );
}

/** Asks again, and is busy until there is an answer; two errors in a row look the same. */
export function RetryButton({ onRetry, plain = false }: { onRetry(): void | Promise<void>; plain?: boolean }) {
  const [busy, setBusy] = useState(false);
  const retry = async () => {
    setBusy(true);
    try {
      await onRetry();
    } finally {
      setBusy(false);
    }
  };
  return (
    <button type="button" class={`page-button${plain ? " is-plain" : ""}`} aria-disabled={busy} onClick={() => !busy && void retry()}>
      {t(busy ? "shell.loading" : "shell.retry")}
    </button>
  );
}

/** The reason of an error, and what the user can do. */
export function reasonOf(error: Error): [reason: string, advice: string | null] {
  if (error instanceof Offline) return [t("error.offline"), null];
  if (!(error instanceof ApiError)) return [error.message, null];
  switch (error.status) {
    case 403: return [t("error.forbidden"), t("error.forbidden_advice")];
    // With faults it is a value that breaks a rule; without, the query reads or answers too much.
    case 422: return [error.message, error.faults.length === 0 ? t("error.too_large") : null];
    case 429: return [t("error.busy"), null];
    default: return [error.message, null];
  }
}
