import type { ComponentChildren } from "preact";
import type { Answer } from "../api/client";
import type { QueryAnswer } from "../api/types";
import { Failure } from "../drawer/failure";
import type { Resource } from "../state/resource";
import { t } from "../text/index";

export interface LoadedProps {
  title: string;
  resource: Resource<Answer<QueryAnswer>>;
  /** How many cards the answer fills. */
  cards?: number;
  children(answer: QueryAnswer): ComponentChildren;
}

/** The cards of an answer; before it is there, skeletons of their size; an error keeps the figures before it. */
export function Loaded({ title, resource, cards = 1, children }: LoadedProps) {
  const { data, error, stale } = resource.state.value;
  return (
    <>
      {error !== null && (
        <div class="sheet-card">
          <Failure title={t("error.title", { title })} error={error} onRetry={resource.reload} />
        </div>
      )}
      {data !== null && <div class={stale ? "sheet-cards sheet-stale" : "sheet-cards"} aria-busy={stale}>{children(data.body)}</div>}
      {data === null && error === null && (
        <div class="sheet-cards" aria-hidden="true">
          {Array.from({ length: cards }, (_, index) => <div key={index} class="sheet-card sheet-skeleton" />)}
        </div>
      )}
    </>
  );
}
