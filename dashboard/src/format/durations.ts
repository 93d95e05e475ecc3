import { decimal } from "./decimal";

const SPACE = "\u00a0"; // a duration is never broken over two lines

/** Seconds as "42.5 s", "1 m 05 s", "2 h 00 m 09 s", and from 100 hours "1,234 h 05 m". */
export function formatDuration(seconds: number): string {
  const size = Math.abs(seconds);
  const sign = seconds < 0 ? "-" : "";
  if (Math.round(size * 100) < 6000) {
    const tiny = size !== 0 && size < 0.01;
    return `${sign}${decimal(size, tiny ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: 2 })}${SPACE}s`;
  }
  const { h, m, s } = split(size);
  if (h === 0) return `${sign}${m}${SPACE}m${SPACE}${two(s)}${SPACE}s`;
  const hours = `${sign}${decimal(h)}${SPACE}h${SPACE}${two(m)}${SPACE}m`;
  return h >= 100 ? hours : `${hours}${SPACE}${two(s)}${SPACE}s`;
}

/** Seconds without the parts that are zero: "90" is "1 m 30 s", "7200" is "2 h", and zero needs no unit. */
export function formatRoundDuration(seconds: number): string {
  if (seconds === 0) return decimal(0);
  if (Math.abs(seconds) < 60) return formatDuration(seconds);
  const { h, m, s } = split(Math.abs(seconds));
  const parts = [h && `${decimal(h)}${SPACE}h`, m && `${m}${SPACE}m`, s && `${s}${SPACE}s`].filter(Boolean);
  return (seconds < 0 ? "-" : "") + parts.join(SPACE);
}

function split(seconds: number): { h: number; m: number; s: number } {
  const whole = Math.round(seconds);
  return { h: Math.floor(whole / 3600), m: Math.floor(whole / 60) % 60, s: whole % 60 };
}

function two(value: number): string {
  return decimal(value, { minimumIntegerDigits: 2 });
}
