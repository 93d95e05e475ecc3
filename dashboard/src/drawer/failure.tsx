import { ApiError, Offline } from "../api/client";
import { t } from "../text/index";

export interface FailureProps {
  title: string;
  error: unknown;
  onRetry(): void;
}

/** An error in the place of what it hides: what failed, why, the request's id, and another try. */
export function Failure({ title, error, onRetry }: FailureProps) {
  const requestId = error instanceof ApiError ? error.requestId : null;
  return (
    <div class="drawer-failure" role="alert">
      <p class="drawer-state-title">{title}</p>
      <p>{error instanceof Offline ? t("error.offline") : error instanceof Error ? error.message : String(error)}</p>
      {requestId !== null && <p class="drawer-request">{t("error.request", { id: requestId })}</p>}
      <button type="button" class="drawer-button" onClick={onRetry}>{t("shell.retry")}</button>
    </div>
  );
}
