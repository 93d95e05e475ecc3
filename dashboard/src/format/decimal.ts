import { locale } from "../text";

const made = new Map<string, Intl.NumberFormat>();

/** A number in the browser's locale, never "-0". Formatters are kept, because making one is slow. */
export function decimal(value: number, options: Intl.NumberFormatOptions = {}): string {
  const key = JSON.stringify(options);
  let format = made.get(key);
  if (!format) made.set(key, (format = new Intl.NumberFormat(locale, options)));
  return format.format(value === 0 ? 0 : value);
}
