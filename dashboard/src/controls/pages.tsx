import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { api } from "../api/client";
import { PagePicker } from "../pages/page_picker";
import { navigate, view } from "../state/view";
import { t } from "../text/index";
import { Popover } from "./popover";

/** The ways to the pages; the names of campaigns and workspaces are loaded when their list opens. */
export function PagesControl() {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <nav class="pages" aria-label={t("pages.label")}>
      <PageButton kind="overview">{t("shell.overview")}</PageButton>
      <Popover class="page-button is-plain" label={t("pages.more")} name={t("pages.more")} isOpen={isOpen} onToggle={setIsOpen}>
        {/* A choice closes the panel. */}
        <div class="pages-panel" onChange={() => setIsOpen(false)}>
          <PagePicker kind="campaign" view={view} api={api} />
          <PagePicker kind="workspace" view={view} api={api} />
        </div>
      </Popover>
      <PageButton kind="sources">{t("sources.title")}</PageButton>
    </nav>
  );
}

function PageButton({ kind, children }: { kind: "overview" | "sources"; children: ComponentChildren }) {
  return (
    <button
      type="button" class="page-button is-plain" aria-current={view.value.page.kind === kind ? "page" : undefined}
      onClick={() => navigate({ all: null, page: { kind } })}
    >
      {children}
    </button>
  );
}
