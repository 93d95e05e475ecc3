/** A text, or its two forms for a count of one and of any other number. */
export type Text = string | { one: string; other: string };

export const en = {
  // shell
  "shell.product": "Rollcall",
  "shell.loading": "Loading",
  "shell.retry": "Try again",
} satisfies Record<string, Text>;

export type Texts = Record<keyof typeof en, Text>;
