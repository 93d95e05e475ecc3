import { useRef } from "preact/hooks";
import { api } from "./api/client";
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
import { session, signOut } from "./state/session";
import { navigate, view } from "./state/view";
import { t } from "./text/index";

export function App() {
  return session.value === null ? <SignIn /> : <Shell key={session.value.token} />;
}

const Drawer = lazy(async () => (await import("./drawer/drawer")).Drawer);
const CampaignPage = lazy(async () => (await import("./pages/campaign")).CampaignPage);
const WorkspacePage = lazy(async () => (await import("./pages/workspace")).WorkspacePage);

const FIGURES = "figures";

function Shell() {
  useKeyboard();
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
      </header>
      <main class="page" id={FIGURES} tabIndex={-1}><Page /></main>
      <Calls />
      <Help />
    </>
  );
}

/** The drawer, from the first time that it is open. */
function Calls() {
  const wasOpen = useRef(false);
  wasOpen.current ||= view.value.calls || view.value.call !== null;
  return wasOpen.current ? <Drawer view={view} api={api} /> : null;
}

function Page() {
  const { page } = view.value;
  switch (page.kind) {
    case "overview": return <Overview />;
    case "campaign": return <CampaignPage id={page.id} view={view} api={api} />;
    case "workspace": return <WorkspacePage id={page.id} view={view} api={api} />;
  }
}

/** Without a change of the address, which holds the view. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById(FIGURES)?.focus();
}
