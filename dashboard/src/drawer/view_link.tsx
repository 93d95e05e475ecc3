import type { ComponentChildren } from "preact";
import { navigate, serialiseView, view, type View } from "../state/view";

export interface ViewLinkProps {
  /** What differs from the view after a click. */
  change: Partial<View>;
  class?: string;
  id?: string;
  children: ComponentChildren;
}

/**
 * A link to a view: it has an address to copy or to open in a tab, and a click loads no page. The address is of the
 * view when the link is drawn: a list has many of them, and each change of the view would draw them all.
 */
export function ViewLink({ change, children, ...rest }: ViewLinkProps) {
  return (
    <a
      {...rest}
      href={serialiseView({ ...view.peek(), ...change })}
      onClick={(event) => {
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        navigate(change);
      }}
    >
      {children}
    </a>
  );
}
