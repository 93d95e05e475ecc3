/** What the answer that is asked for again and again shows. */
export interface Figures {
  /** The query. */
  query: string;
  calls: number;
  /** All of it, as a text. */
  content: string;
}

const LEAST_MS = 60_000;

/** Decides when the figures beside those of the calls are loaded again. */
export class Followers {
  /** What the others were last loaded beside, and when. */
  private shown: (Figures & { at: number }) | null = null;

  /**
   * Whether the others are to be loaded again: the calls have changed, and that was a minute ago, or they have
   * doubled, as while an organisation is being filled. With another query everything is loaded anyway.
   */
  see(figures: Figures | null, now: number): boolean {
    if (figures === null) return false;
    const before = this.shown;
    const isOther = before === null || before.query !== figures.query;
    const isDue = !isOther && before.content !== figures.content
      && (now - before.at >= LEAST_MS || figures.calls > 2 * before.calls);
    if (isOther || isDue) this.shown = { ...figures, at: now };
    return isDue;
  }
}
