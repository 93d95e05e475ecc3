import { signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { ErrorNote } from "./overview/error_note";
import { t } from "./text/index";

/** A component whose script is loaded when it is shown for the first time, and again after a failure. */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  const loaded = signal<{ component: ComponentType<P> } | { error: Error } | null>(null);
  let isLoading = false;
  const start = async () => {
    if (isLoading) return;
    isLoading = true;
    try {
      loaded.value = { component: await load() };
    } catch (error) {
      loaded.value = { error: error instanceof Error ? error : new Error(String(error)) };
    } finally {
      isLoading = false;
    }
  };
  return function Lazy(props: P) {
    const found = loaded.value;
    if (found === null) {
      void start();
      return <p class="card-note" role="status">{t("shell.loading")}</p>;
    }
    if ("error" in found) return <ErrorNote title={t("error.part")} error={found.error} onRetry={() => void start()} />;
    const Component = found.component;
    return <Component {...props} />;
  };
}
