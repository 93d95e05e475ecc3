import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

export interface PopoverProps {
  /** The text of the button, and its name. */
  label: ComponentChildren;
  name: string;
  class?: string;
  isOpen: boolean;
  onToggle(isOpen: boolean): void;
  children: ComponentChildren;
}

const MARGIN = 12;

/** A button with a panel below it, which Escape, a click elsewhere and the button close. */
export function Popover({ label, name, class: style = "page-button", isOpen, onToggle, children }: PopoverProps) {
  const place = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const box = panel.current;
    if (box === null) return;
    // What is in the panel may load later, and make it wider.
    const watcher = new ResizeObserver(() => moveInside(box));
    watcher.observe(box);
    moveInside(box);
    return () => watcher.disconnect();
  }, [isOpen]);
  useEffect(() => {
    if (!isOpen) return;
    place.current?.querySelector<HTMLElement>("[autofocus]")?.focus();
    // The focus of what is removed would be lost.
    return () => void (document.activeElement === document.body && button.current?.focus());
  }, [isOpen]);
  useEffect(() => {
    if (!isOpen) return;
    const onPress = (event: PointerEvent) => {
      if (event.target instanceof Node && !place.current?.contains(event.target)) onToggle(false);
    };
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      onToggle(false);
      button.current?.focus();
    };
    document.addEventListener("pointerdown", onPress);
    document.addEventListener("keydown", onKey, true);
    return () => {
      document.removeEventListener("pointerdown", onPress);
      document.removeEventListener("keydown", onKey, true);
    };
  }, [isOpen, onToggle]);
  return (
    <div class="popover" ref={place}>
      <button
        ref={button} type="button" class={style} aria-expanded={isOpen} aria-haspopup="dialog"
        onClick={() => onToggle(!isOpen)}
      >
        {label}
      </button>
      {isOpen && <div ref={panel} class="popover-panel" role="dialog" aria-label={name}>{children}</div>}
    </div>
  );
}

/** Into the window, where the button is near its right side. */
function moveInside(box: HTMLElement): void {
  box.style.left = "0";
  const over = box.getBoundingClientRect().right + MARGIN - document.documentElement.clientWidth;
  box.style.left = `${Math.min(0, -over)}px`;
}
