import { useEffect, useState } from "preact/hooks";
import { t } from "../text/index";

/** Copies `text`. Without a clipboard, which pages of plain http to another machine do not have, there is no button. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), 2_000);
    return () => clearTimeout(timer);
  }, [isCopied]);
  if (navigator.clipboard === undefined) return null;
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
  };
  return (
    <button type="button" class="drawer-button" onClick={() => void copy()}>
      {label}
      <span class="drawer-copied" role="status">{isCopied ? t("call.copied") : ""}</span>
    </button>
  );
}
