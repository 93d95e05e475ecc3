import { ApiError, Offline } from "../api/client";
import { signOut } from "../state/session";
import { t } from "../text/index";

export const isForbidden = (error: Error | null): boolean => error instanceof ApiError && error.status === 403;

/** In place of a page whose figures the token may not read. */
export function Forbidden() {
  return (
    <section class="notice" role="alert">
      <h2>{t("error.forbidden")}</h2>
      <p>{t("error.forbidden_advice")}</p>
      <button type="button" class="page-button is-primary" onClick={() => signOut()}>{t("shell.sign_out")}</button>
    </section>
  );
}

/** Above the figures of a page, while `error` is that there is no connection. */
export function OfflineBanner({ error }: { error: Error | null }) {
  return error instanceof Offline ? <p class="banner" role="alert">{t("error.offline_banner")}</p> : null;
}
