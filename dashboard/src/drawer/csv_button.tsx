import type { Signal } from "@preact/signals";
import { useState } from "preact/hooks";
import type { Api } from "../api/client";
import { downloadCsv } from "../api/csv";
import type { View } from "../state/view";
import { t } from "../text/index";
import { searchBody } from "./bodies";

/** As many calls as the API gives at once: the file needs few requests. */
const LIMIT = 500;

/** Saves the list, all of its pages, as the API's own CSV. */
export function CsvButton({ view, api }: { view: Signal<View>; api: Api }) {
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const download = async () => {
    setBusy(true);
    setFailure(null);
    try {
      await downloadCsv(api, "/v1/calls/search", { ...searchBody(view.value), limit: LIMIT });
    } catch (error) {
      setFailure(error instanceof Error ? error.message : String(error));
    }
    setBusy(false);
  };
  return (
    <>
      {failure !== null && <span class="drawer-fault" role="alert">{t("shell.csv_failed", { message: failure })}</span>}
      <button
        type="button" class="drawer-button" disabled={isBusy} aria-busy={isBusy}
        aria-label={t("shell.csv_of", { title: t("calls.title") })} onClick={() => void download()}
      >
        {t("shell.csv")}
      </button>
    </>
  );
}
