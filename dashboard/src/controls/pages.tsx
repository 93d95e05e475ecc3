import { useState } from "preact/hooks";
import { api } from "../api/client";
import { PagePicker } from "../pages/page_picker";
import { navigate, view } from "../state/view";
import { t } from "../text/index";
import { Popover } from "./popover";

/** The way to the page of one campaign or workspace, and back; their names are loaded when it opens. */
export function PagesControl() {
  const [isOpen, setIsOpen] = useState(false);
  const { page } = view.value;
  return (
    <nav class="pages" aria-label={t("pages.label")}>
      <button
        type="button" class="page-button is-plain" aria-current={page.kind === "overview" ? "page" : undefined}
        onClick={() => navigate({ all: null, page: { kind: "overview" } })}
      >
        {t("shell.overview")}
      </button>
      <Popover class="page-button is-plain" label={t("pages.more")} name={t("pages.more")} isOpen={isOpen} onToggle={setIsOpen}>
        {/* A choice closes the panel. */}
        <div class="pages-panel" onChange={() => setIsOpen(false)}>
          <PagePicker kind="campaign" view={view} api={api} />
          <PagePicker kind="workspace" view={view} api={api} />
        </div>
      </Popover>
    </nav>
  );
}
