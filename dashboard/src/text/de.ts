import type { Texts } from "./en";

export const de: Texts = {
  // shell
  "shell.product": "Rollcall",
  "shell.loading": "Wird geladen",
  "shell.retry": "Erneut versuchen",
};
