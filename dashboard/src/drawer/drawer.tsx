import type { Signal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { Api } from "../api/client";
import type { Call } from "../api/types";
import { navigate, type View } from "../state/view";
import { searchBody } from "./bodies";
import { CallDetail } from "./call_detail";
import { CallList, callLink } from "./call_list";
import { CallPages } from "./call_pages";
import { useOnline } from "./online";

export interface DrawerProps {
  view: Signal<View>;
  api: Api;
}

const TITLE = "drawer-title";

/** The calls behind the figures, and one of them: a modal dialog at the right of the page. */
export function Drawer({ view, api }: DrawerProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const isOpen = view.value.calls || view.value.call !== null;
  useEffect(() => {
    // A modal dialog keeps the focus, and gives it back to where it was when it closes.
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);

  return (
    <dialog
      ref={dialog}
      class="drawer"
      aria-labelledby={TITLE}
      onCancel={(event) => {
        event.preventDefault();
        closeDrawer();
      }}
      onClick={(event) => event.target === dialog.current && closeDrawer()}
    >
      {isOpen && <Content view={view} api={api} />}
    </dialog>
  );
}

function closeDrawer(): void {
  navigate({ calls: false, call: null });
}

function Content({ view, api }: DrawerProps) {
  const pages = useMemo(() => new CallPages<Call>(), []);
  const body = searchBody(view.value);
  const wanted = JSON.stringify(body);
  const reload = () =>
    void pages.start(async (cursor, signal) =>
      (await api.search(cursor === null ? body : { ...body, cursor }, signal)).body,
    );
  useEffect(() => {
    reload();
    return () => pages.stop();
  }, [wanted]);

  useOnline(() => void pages.retry());

  const { call } = view.value;
  const last = useRef(call);
  useEffect(() => {
    // Back from a call, the focus is where it came from.
    if (call === null && last.current !== null) (callLink(last.current) ?? document.getElementById(TITLE))?.focus();
    last.current = call;
  }, [call]);
  return (
    <div class="drawer-panels">
      {/* The list stays behind an open call, with its place. */}
      <section class="drawer-panel" inert={call !== null}>
        <CallList
          view={view} api={api} pages={pages} onReload={reload} onClose={closeDrawer}
          titleId={call === null ? TITLE : undefined}
        />
      </section>
      {call !== null && (
        <section class="drawer-panel drawer-panel-call">
          <CallDetail id={call} view={view} api={api} pages={pages} onClose={closeDrawer} titleId={TITLE} />
        </section>
      )}
    </div>
  );
}
