import { useEffect } from "preact/hooks";
import { useOnline } from "../drawer/online";
import type { Resource } from "../state/resource";
import { view } from "../state/view";

const REFRESH_MS = 5_000;
/** Every how many refreshes the figures that are costly to read follow. */
const FOLLOW = 12;

/**
 * While the view is live and can be seen: loads `first` every five seconds, and the others once per minute; all when
 * the connection is back.
 */
export function useLive(first: Resource<unknown>, others: Resource<unknown>[]): void {
  useOnline(() => {
    for (const one of [first, ...others]) void one.reload();
  });
  useEffect(() => {
    let rounds = 0;
    const timer = setInterval(() => {
      if (!view.peek().live || document.visibilityState !== "visible") return;
      rounds += 1;
      for (const one of rounds % FOLLOW === 0 ? [first, ...others] : [first]) void one.reload();
    }, REFRESH_MS);
    return () => clearInterval(timer);
  }, [first]);
}
