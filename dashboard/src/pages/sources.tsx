import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { isRefused, type Api } from "../api/client";
import type { Hook, Organisation } from "../api/types";
import { CopyButton } from "../drawer/copy_button";
import { useOnline } from "../drawer/online";
import { formatAgo, formatInstant } from "../format/dates";
import { decimal } from "../format/decimal";
import { Loaded } from "../overview/loaded";
import { isForbidden, OfflineBanner } from "../overview/notices";
import { useNow } from "../overview/now";
import { useResource } from "../state/resource";
import { signOut } from "../state/session";
import type { View } from "../state/view";
import { named, t } from "../text/index";
import { useRefresh } from "./live";
import { partOf } from "./part";
import { createCommand, PROVIDERS, TOKEN_COMMAND, tryCommand } from "./providers";

export interface SourcesPageProps {
  view: Signal<View>;
  api: Api;
  /** Null until it is known. */
  organisation: Organisation | null;
}

/** The organisation's hooks and the counts of their deliveries, and how to create more. */
export function SourcesPage({ view, api, organisation }: SourcesPageProps) {
  const hooks = useResource(() => "hooks", async (_, signal) => (await api.hooks(signal)).body.hooks);
  useRefresh(() => async () => {
    if (!isRefused(hooks.state.peek().error)) await hooks.reload();
  }, [hooks]);
  useOnline(() => void hooks.reload());
  const { data, error } = hooks.state.value;
  const title = t("sources.list");
  return (
    <>
      <OfflineBanner error={error} />
      <header class="sheet-head"><h2 class="sheet-title">{t("sources.title")}</h2></header>
      <p class="sheet-note">{t("sources.lead")}</p>
      {isForbidden(error) ? <NeedsAdmin /> : (
        <Loaded title={title} {...partOf(hooks)} size="size-sources">
          {(found) => (found.length === 0 ? <NoHooks /> : (
            <ul class="hooks" aria-label={title}>
              {found.map((hook) => <HookCard key={hook.hook} hook={hook} zone={view.value.zone} />)}
            </ul>
          ))}
        </Loaded>
      )}
      <Connect handle={organisation?.domain_handle ?? "HANDLE"} isFirst={data?.length === 0} />
    </>
  );
}

const providerTitle = (provider: string): string => {
  const known = PROVIDERS.find(({ name }) => name === provider);
  return known === undefined ? provider : known.title ?? t("sources.other");
};

const COUNTS = ["recorded", "ignored", "refused", "failed"] as const;

function HookCard({ hook, zone }: { hook: Hook; zone: string }) {
  const title = providerTitle(hook.provider);
  return (
    <li class="card hook">
      <h3 class="hook-name">{title} <span class="sheet-id">{hook.hook}</span></h3>
      <dl class="hook-facts">
        {COUNTS.map((count) => (
          <Fact key={count} name={named("sources.count", count)}>
            <span class={hook[count] > 0 ? `hook-count is-${count}` : "hook-count"}>{decimal(hook[count])}</span>
          </Fact>
        ))}
        <Fact name={t("sources.last")}>
          {hook.last_delivery_at === null ? t("sources.never") : <Time instant={hook.last_delivery_at} zone={zone} />}
        </Fact>
        <Fact name={t("sources.created")}><Time instant={hook.created_at} zone={zone} /></Fact>
      </dl>
      {hook.secrets > 1 && <p class="hook-note">{t("sources.rotation")}</p>}
      {hook.refused > 0 && (
        <Hint text={t("sources.hint.refused", { count: hook.refused })} command={`rollcall hook rotate ${hook.hook} --secret-file secret`} />
      )}
      {hook.failed > 0 && <Hint text={t("sources.hint.failed", { count: hook.failed })} command="rollcall redrive list" />}
      {hook.last_delivery_at === null && (
        <Hint text={t("sources.hint.none")} command="rollcall hook test HOOK_ID --token-file token" />
      )}
    </li>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return <div class="hook-fact"><dt>{name}</dt><dd>{children}</dd></div>;
}

/** How long ago, and when in the view's zone. */
function Time({ instant, zone }: { instant: string; zone: string }) {
  const now = useNow();
  return (
    <time dateTime={instant}>
      {formatAgo(instant, now)} <span class="hook-time">{formatInstant(instant, zone, "short")}</span>
    </time>
  );
}

function Hint({ text, command }: { text: string; command: string }) {
  return (
    <div class="hook-hint">
      <p>{text}</p>
      <Command text={command} />
    </div>
  );
}

function Command({ text }: { text: string }) {
  return (
    <div class="command">
      <code>{text.split(" ").map((word, place) => [place > 0 && " ", <span key={place} class="command-word">{word}</span>])}</code>
      <CopyButton text={text} label={t("call.copy")} />
    </div>
  );
}

/** In place of the hooks, which the token may not list. */
function NeedsAdmin() {
  return (
    <section class="card hooks-none">
      <h3 class="hook-name">{t("sources.forbidden")}</h3>
      <p>{t("sources.forbidden_advice")}</p>
      <Command text={TOKEN_COMMAND} />
      <button type="button" class="page-button" onClick={() => signOut()}>{t("shell.sign_out")}</button>
    </section>
  );
}

function NoHooks() {
  return (
    <section class="card hooks-none">
      <h3 class="hook-name">{t("sources.none")}</h3>
      <p>{t("sources.none_advice")}</p>
      {isLocal(location.hostname) && (
        <>
          <p>{t("sources.try")}</p>
          <Command text={tryCommand(location.origin)} />
        </>
      )}
    </section>
  );
}

/** Whether the page is served by the local stack, which alone has a hook to try. */
const isLocal = (host: string): boolean => ["127.0.0.1", "localhost", "[::1]"].includes(host);

/** The command that creates a hook, for each provider. */
function Connect({ handle, isFirst }: { handle: string; isFirst: boolean }) {
  return (
    <section class="connect" aria-labelledby="connect-title">
      <h3 id="connect-title" class="connect-title">{t(isFirst ? "sources.connect_first" : "sources.connect")}</h3>
      <p class="sheet-note">{t("sources.connect_how")}</p>
      <ul class="card connect-list">
        {PROVIDERS.map(({ name }) => (
          <li key={name} class="connect-way">
            <h4>{providerTitle(name)}</h4>
            <Command text={createCommand(name, handle, location.origin)} />
          </li>
        ))}
      </ul>
    </section>
  );
}
