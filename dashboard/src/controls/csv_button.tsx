import { useState } from "preact/hooks";
import { api } from "../api/client";
import { downloadCsv } from "../api/csv";
import type { QueryBody, SearchBody } from "../api/types";
import { t } from "../text/index";

export interface CsvButtonProps {
  title: string;
  body: QueryBody | SearchBody;
  path?: "/v1/query" | "/v1/calls/search";
  class?: string;
}

/** Saves the API's own CSV of a query or a search. */
export function CsvButton({ title, body, path = "/v1/query", class: style = "chart-button" }: CsvButtonProps) {
  const [state, setState] = useState<"idle" | "busy" | { message: string }>("idle");
  const download = async () => {
    if (state === "busy") return;
    setState("busy");
    try {
      await downloadCsv(api, path, body);
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
        type="button" class={style} aria-label={t("shell.csv_of", { title })} aria-busy={state === "busy"}
        onClick={download}
      >
        {t("shell.csv")}
      </button>
    </>
  );
}
