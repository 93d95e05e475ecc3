import { useEffect, useState } from "preact/hooks";
import { t } from "../text/index";

/** Copies `text`. Without a clipboard, which pages of plain http to another machine do not have, there is no button. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [result, setResult] = useState<"copied" | "copy_failed" | null>(null);
  useEffect(() => {
    if (result !== "copied") return;
    const timer = setTimeout(() => setResult(null), 2_000);
    return () => clearTimeout(timer);
  }, [result]);
  if (navigator.clipboard === undefined) return null;
  const copy = () => navigator.clipboard.writeText(text).then(() => setResult("copied"), () => setResult("copy_failed"));
  return (
    <>
      <button type="button" class="drawer-button" onClick={() => void copy()}>{label}</button>
      <span class={result === "copy_failed" ? "drawer-copied is-failed" : "drawer-copied"} role="status">
        {result !== null && t(`call.${result}`)}
      </span>
    </>
  );
}
