import { useState } from "preact/hooks";
import { view } from "../state/view";
import { t } from "../text/index";
import type { TrustSource } from "./data";
import { useNow } from "./now";
import { readingOf, trustParts, type Mark } from "./trust";

/** The address of docs/exactness.md; the build replaces it. */
declare const EXACTNESS: string;

/** How fresh and how exact the figures are; a click on a part explains it. */
export function TrustLine({ data }: { data: TrustSource }) {
  const now = useNow();
  const [shown, setShown] = useState<Mark | null>(null);
  const parts = trustParts(readingOf(data), data.audit.state.value, view.value.zone, now);
  const open = parts.find(({ mark }) => mark === shown);
  return (
    <section class="trust" aria-label={t("trust.label")}>
      <ul class="trust-parts">
        {parts.map(({ mark, tone, text }) => (
          <li key={mark}>
            <button
              type="button" class={`trust-part is-${tone}`} aria-expanded={shown === mark}
              aria-controls={shown === mark ? "trust-why" : undefined} onClick={() => setShown(shown === mark ? null : mark)}
            >
              {text}
            </button>
          </li>
        ))}
      </ul>
      {open !== undefined && (
        <p class="trust-why" id="trust-why" role="status">
          {open.why} <a href={EXACTNESS} target="_blank" rel="noreferrer">{t("trust.more")}</a>
        </p>
      )}
    </section>
  );
}
