import { useState } from "preact/hooks";
import { api } from "../api/client";
import { downloadCsv } from "../api/csv";
import type { QueryBody } from "../api/types";
import { t } from "../text/index";

export function CsvButton({ title, body }: { title: string; body: QueryBody }) {
  const [state, setState] = useState<"idle" | "busy" | { message: string }>("idle");
  const download = async () => {
    if (state === "busy") return;
    setState("busy");
    try {
      await downloadCsv(api, "/v1/query", body);
      setState("idle");
    } catch (error) {
      setState({ message: error instanceof Error ? error.message : String(error) });
    }
  };
  return (
    <>
      {typeof state === "object" && (
        <span class="page-fault" role="alert">{t("shell.csv_failed", { message: state.message })}</span>
      )}
      <button
        type="button" class="chart-button" aria-label={t("shell.csv_of", { title })} aria-busy={state === "busy"}
        onClick={download}
      >
        {t("shell.csv")}
      </button>
    </>
  );
}
