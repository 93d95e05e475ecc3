import { useEffect, useRef } from "preact/hooks";
import { t } from "../text/index";
import { close, opened } from "./open";

const KEYS = ["D", "W", "M", "F", "C", "X", "/", "?", "Esc"] as const;

export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  const isOpen = opened.value === "help";
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return (
    <dialog
      ref={dialog} class="help" aria-labelledby="help-title" onClose={() => opened.peek() === "help" && close()}
      onClick={(event) => event.target === dialog.current && close()}
    >
      {isOpen && (
        <div class="help-body">
          <div class="help-head">
            <h2 id="help-title">{t("shell.help")}</h2>
            <button type="button" class="page-button" onClick={close}>{t("shell.close")}</button>
          </div>
          <p>{t("help.intro")}</p>
          <h3>{t("keys.title")}</h3>
          <dl class="help-keys">
            {KEYS.map((key) => (
              <div key={key}>
                <dt><kbd>{key}</kbd></dt>
                <dd>{t(`keys.${key}`)}</dd>
              </div>
            ))}
          </dl>
        </div>
      )}
    </dialog>
  );
}
