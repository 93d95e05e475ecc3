import { useRef } from "preact/hooks";
import { api } from "./api/client";
import type { Organisation } from "./api/types";
import { CompareControl } from "./controls/compare";
import { FilterControl } from "./controls/filters";
import { Help } from "./controls/help";
import { useKeyboard } from "./controls/keyboard";
import { LiveSwitch } from "./controls/live";
import { opened } from "./controls/open";
import { PagesControl } from "./controls/pages";
import { PeriodControl } from "./controls/period";
import { ZoneControl } from "./controls/zone";
import { Overview } from "./overview/overview";
import { lazy } from "./lazy";
import { SignIn } from "./sign_in";
import { useResource } from "./state/resource";
import { session, signOut } from "./state/session";
import { pageName, useTitle } from "./state/title";
import { navigate, view } from "./state/view";
import { t } from "./text/index";

export function App() {
  return session.value === null ? <SignIn /> : <Shell key={session.value.token} />;
}

const Drawer = lazy(async () => (await import("./drawer/drawer")).Drawer);
const CampaignPage = lazy(async () => (await import("./pages/campaign")).CampaignPage);
const WorkspacePage = lazy(async () => (await import("./pages/workspace")).WorkspacePage);
const SourcesPage = lazy(async () => (await import("./pages/sources")).SourcesPage);

const FIGURES = "figures";

function Shell() {
  useKeyboard();
  const loaded = useResource(() => "organisation", async (_, signal) => (await api.organisations(signal)).body.data[0]);
  const organisation = loaded.state.value.data;
  const { page } = view.value;
  useTitle(pageName(page), organisation?.name);
  return (
    <>
      <a class="skip" href={`#${FIGURES}`} onClick={skip}>{t("shell.skip")}</a>
      <header class="page-head">
        <div class="page-bar">
          <h1 class="brand">{t("shell.product")}</h1>
          <PagesControl />
          <span class="page-space" />
          <LiveSwitch />
          <button type="button" class="page-button is-plain" onClick={() => (opened.value = "help")}>{t("shell.help")}</button>
          <button type="button" class="page-button is-plain" onClick={() => signOut()}>{t("shell.sign_out")}</button>
        </div>
        {page.kind === "sources" ? <div class="controls"><ZoneControl /></div> : <Controls />}
      </header>
      <main class="page" id={FIGURES} tabIndex={-1}><Page organisation={organisation} /></main>
      <Calls />
      <Help />
    </>
  );
}

/** What the figures are of; hooks have no period and no filters. */
function Controls() {
  return (
    <section class="controls" aria-label={t("shell.controls")}>
      <PeriodControl />
      <CompareControl />
      <ZoneControl />
      <div class="controls-row">
        <FilterControl />
        <button type="button" class="page-button is-primary show-calls" onClick={() => navigate({ calls: true })}>
          {t("shell.show_calls_plain")}
        </button>
      </div>
    </section>
  );
}

/** The drawer, from the first time that it is open. */
function Calls() {
  const wasOpen = useRef(false);
  wasOpen.current ||= view.value.calls || view.value.call !== null;
  return wasOpen.current ? <Drawer view={view} api={api} /> : null;
}

function Page({ organisation }: { organisation: Organisation | null }) {
  const { page } = view.value;
  switch (page.kind) {
    case "overview": return <Overview />;
    case "sources": return <SourcesPage view={view} api={api} organisation={organisation} />;
    case "campaign": return <CampaignPage id={page.id} view={view} api={api} />;
    case "workspace": return <WorkspacePage id={page.id} view={view} api={api} />;
  }
}

/** Without a change of the address, which holds the view. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById(FIGURES)?.focus();
}
