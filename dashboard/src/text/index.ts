import type { Text, Texts } from "./en";

export type Key = keyof Texts;

const LOAD: Record<string, () => Promise<Texts>> = {
  en: async () => (await import("./en")).en,
  de: async () => (await import("./de")).de,
};

/** The language of the texts: the first of the browser's that there is, else English. */
export const language =
  navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => tag in LOAD) ?? "en";

/** The locale of numbers and dates. */
export const locale: string = navigator.language || "en";

const texts = await LOAD[language]!();
const plurals = new Intl.PluralRules(language);
const numbers = new Intl.NumberFormat(locale);

/** The text of a key, with `{name}` filled in; `count` chooses between one and other. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  return fill(texts[key], values);
}

/** The text of a key that is made of a prefix and a name of the API, or the name where there is none. */
export function named(prefix: string, name: string): string {
  const text = (texts as Record<string, Text | undefined>)[`${prefix}.${name}`];
  return text === undefined ? name.replaceAll("_", " ") : fill(text, {});
}

function fill(text: Text, values: Record<string, string | number>): string {
  const form = typeof text === "string" ? text
    : plurals.select(Number(values["count"] ?? 0)) === "one" ? text.one : text.other;
  return form.replace(/\{(\w+)\}/g, (place, name: string) => {
    const value = values[name] ?? place;
    return typeof value === "number" ? numbers.format(value) : value;
  });
}
