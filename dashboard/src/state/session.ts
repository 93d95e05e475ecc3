import { signal } from "@preact/signals";

/** Why the page shows the sign-in form, or what went wrong with a one-time code; null: the user chose to. */
export type Ended = "expired" | "rejected" | { code: string } | null;

export interface Session {
  token: string;
  since: number;
}

const KEY = "rollcall.session";
export const LIFETIME_MS = 12 * 60 * 60 * 1000;

export const session = signal<Session | null>(null);
export const ended = signal<Ended>(null);

let timer: ReturnType<typeof setTimeout> | undefined;

/** Take up the session of this tab, if there is one that is not over. */
export function resumeSession(now = Date.now()): void {
  const kept = read();
  if (kept === null) return;
  if (isOver(kept, now)) signOut("expired");
  else begin(kept, now);
}

/** The session, which ends here if its time is over: a timer stands still while the computer sleeps. */
export function endWhenOver(now = Date.now()): Session | null {
  const current = session.peek();
  if (current !== null && isOver(current, now)) signOut("expired");
  return session.peek();
}

export function signIn(token: string, now = Date.now()): void {
  const kept = { token, since: now };
  sessionStorage.setItem(KEY, JSON.stringify(kept));
  begin(kept, now);
}

export function signOut(because: Ended = null): void {
  clearTimeout(timer);
  sessionStorage.removeItem(KEY);
  ended.value = because;
  session.value = null;
}

function begin(kept: Session, now: number): void {
  clearTimeout(timer);
  timer = setTimeout(() => signOut("expired"), kept.since + LIFETIME_MS - now);
  ended.value = null;
  session.value = kept;
}

const isOver = ({ since }: Session, now: number): boolean => now - since >= LIFETIME_MS;

function read(): Session | null {
  const text = sessionStorage.getItem(KEY);
  return text === null ? null : (JSON.parse(text) as Session);
}
