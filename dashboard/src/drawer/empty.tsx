import { useEffect, useMemo, useState } from "preact/hooks";
import { isRefused, type Api } from "../api/client";
import { named, t } from "../text/index";
import { CopyButton } from "./copy_button";
import { firstCallSamples, TOKEN_PLACEHOLDER } from "./samples";
import { ViewLink } from "./view_link";

export interface EmptyOrganisationProps {
  api: Api;
  /** Called once, when the organisation has a call. */
  onArrived(): void;
}

const POLL_MS = 3_000;
const CREATE_TOKEN = "rollcall token create HANDLE --scope ingest";

/** In place of the figures while an organisation has no call: how to send the first one, and the wait for it. */
export function EmptyOrganisation({ api, onArrived }: EmptyOrganisationProps) {
  const samples = useMemo(() => firstCallSamples(location.origin, new Date()), []);
  const failure = useFirstCall(api, onArrived);
  return (
    <section class="empty" aria-labelledby="empty-title">
      <h2 id="empty-title" class="empty-title">{t("empty.title")}</h2>
      <p class="empty-lead">{t("empty.lead")}</p>
      <p class="empty-waiting" role="status">
        <span class="empty-pulse" aria-hidden="true" />
        {failure === null ? t("empty.waiting") : t("empty.failed", { message: failure })}
      </p>
      <div class="empty-ways">
        {samples.map(({ id, text }) => (
          <div key={id} class="empty-way">
            <header class="empty-head">
              <h3 id={`empty-${id}`}>{named("empty.way", id)}</h3>
              <p>{named("empty.about", id)}</p>
              <CopyButton text={text} label={t("empty.copy")} />
            </header>
            <pre tabIndex={0} role="region" aria-labelledby={`empty-${id}`}><code>{text}</code></pre>
          </div>
        ))}
        <div class="empty-way">
          <header class="empty-head">
            <h3>{t("empty.way.hook")}</h3>
            <p>{t("empty.about.hook")}</p>
            <ViewLink class="drawer-button" change={{ all: null, page: { kind: "sources" } }}>{t("sources.connect")}</ViewLink>
          </header>
        </div>
      </div>
      <p class="empty-token"><Filled text={t("empty.token")} /></p>
    </section>
  );
}

/** The text about the token, with its two samples of code set as code. */
function Filled({ text }: { text: string }) {
  const samples: Record<string, string> = { placeholder: TOKEN_PLACEHOLDER, command: CREATE_TOKEN };
  const parts = text.split(/\{(\w+)\}/);
  return <>{parts.map((part, index) => (index % 2 === 0 ? part : <code key={part}>{samples[part]}</code>))}</>;
}

/** Asks every three seconds, while the page can be seen, whether there is a call; returns why asking fails. */
function useFirstCall(api: Api, onArrived: () => void): string | null {
  const [failure, setFailure] = useState<string | null>(null);
  useEffect(() => {
    const stopped = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const ask = async () => {
      try {
        const { body } = await api.query({ measures: ["calls"], timezone: "UTC" }, stopped.signal);
        if ((body.totals["calls"] ?? 0) > 0) return onArrived();
        setFailure(null);
      } catch (error) {
        if (stopped.signal.aborted) return;
        const failed = error instanceof Error ? error : new Error(String(error));
        setFailure(failed.message);
        if (isRefused(failed)) return;
      }
      timer = setTimeout(whenSeen, POLL_MS);
    };
    const whenSeen = () => {
      if (document.visibilityState === "visible") void ask();
      else document.addEventListener("visibilitychange", whenSeen, { once: true });
    };
    timer = setTimeout(whenSeen, POLL_MS);
    return () => {
      stopped.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", whenSeen);
    };
  }, [api]);
  return failure;
}
