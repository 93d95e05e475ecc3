import { useState } from "preact/hooks";
import { ApiError, exchangeCode, Offline, readSchemaWith } from "./api/client";
import { ended, session, signIn, signOut } from "./state/session";
import { useTitle } from "./state/title";
import { t } from "./text/index";

export function SignIn() {
  useTitle(t("signin.title"));
  const [token, setToken] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const message = error ?? endedText();

  const submit = async (event: Event) => {
    event.preventDefault();
    if (isBusy) return;
    const text = token.trim();
    // A header cannot carry anything else.
    if (!/^[\x21-\x7e]+$/.test(text)) return setError(t(text === "" ? "signin.empty" : "signin.malformed"));
    setIsBusy(true);
    setError(null);
    try {
      await readSchemaWith(text);
      signIn(text);
    } catch (failure) {
      setError(signInText(failure));
    } finally {
      setIsBusy(false);
    }
  };

  return (
    <main class="signin">
      <form class="signin-card" onSubmit={submit} noValidate>
        <p class="signin-brand">{t("shell.product")}</p>
        <h1>{t("signin.title")}</h1>
        {message !== null && <p class="signin-error" role="alert" id="signin-error">{message}</p>}
        <p>{t("signin.intro")}</p>
        <code class="signin-command">rollcall token create HANDLE --scope read</code>
        <label class="signin-label" for="signin-token">{t("signin.token")}</label>
        <input
          id="signin-token" class="page-input" type="password" autocomplete="off" spellcheck={false} autofocus
          value={token} aria-invalid={error !== null} aria-describedby={message === null ? undefined : "signin-error"}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
        <button class="page-button is-primary" type="submit" aria-disabled={isBusy}>
          {t(isBusy ? "signin.checking" : "signin.submit")}
        </button>
        <p class="signin-note">{t("signin.kept")}</p>
      </form>
    </main>
  );
}

/** Sign in by the one-time code in the address, if there is one; the code leaves the address at once. */
export async function signInByCode(): Promise<void> {
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  if (code === null) return;
  history.replaceState(null, "", location.pathname + location.search);
  try {
    signIn(await exchangeCode(code));
  } catch (failure) {
    // The address of before, opened again in a tab that is signed in, changes nothing.
    if (session.value === null) signOut({ code: failure instanceof Offline ? t("error.offline") : messageOf(failure) });
  }
}

function endedText(): string | null {
  const why = ended.value;
  if (why === null) return null;
  return typeof why === "string" ? t(`signin.ended.${why}`) : t("signin.ended.code", { message: why.code });
}

function signInText(failure: unknown): string {
  if (failure instanceof Offline) return t("error.offline");
  if (failure instanceof ApiError && failure.status === 401) return t("signin.unknown");
  if (failure instanceof ApiError && failure.status === 403) return t("signin.forbidden");
  return t("signin.failed", { message: messageOf(failure) });
}

const messageOf = (failure: unknown): string => (failure instanceof Error ? failure.message : String(failure));
