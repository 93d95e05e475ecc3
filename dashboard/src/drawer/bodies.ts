/** The drawer's requests: it lists the calls that the page's figures count. */
import type { QueryBody, SearchBody } from "../api/types";
import { scopedView } from "../pages/scope";
import { scopeOf } from "../state/queries";
import type { View } from "../state/view";

const PAGE = 50;

/** The first page of the view's calls, newest first. */
export function searchBody(view: View): SearchBody {
  return { ...scopeOf(scopedView(view)), order: "newest", limit: PAGE };
}

/** How many calls all pages have. */
export function countBody(view: View): QueryBody {
  return { ...scopeOf(scopedView(view)), measures: ["calls"] };
}
