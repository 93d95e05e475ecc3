import { useEffect, useRef } from "preact/hooks";

/** Calls the function when the connection is back. */
export function useOnline(act: () => void): void {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    const onOnline = () => latest.current();
    addEventListener("online", onOnline);
    return () => removeEventListener("online", onOnline);
  }, []);
}
