import { useEffect } from "preact/hooks";
import { t } from "../text/index";
import { valueName } from "./names";
import type { Page } from "./view";

/** The name of a page; a campaign or workspace is named by its id until its name is known. */
export function pageName(page: Page): string {
  switch (page.kind) {
    case "overview": return t("shell.overview");
    case "sources": return t("sources.title");
    default: return valueName(`${page.kind}_id`, page.id);
  }
}

/** Shows the page in the title of the document: first, because a tab shows only the beginning. */
export function useTitle(page: string, organisation?: string): void {
  const title = [page, organisation, t("shell.product")].filter((part) => part !== undefined).join(" · ");
  useEffect(() => {
    document.title = title;
  }, [title]);
}
