/** Zones that some browsers list by a former name only. */
const RENAMED: Record<string, string> = {
  "America/Buenos_Aires": "America/Argentina/Buenos_Aires",
  "Asia/Calcutta": "Asia/Kolkata",
  "Asia/Katmandu": "Asia/Kathmandu",
  "Asia/Rangoon": "Asia/Yangon",
  "Asia/Saigon": "Asia/Ho_Chi_Minh",
  "Atlantic/Faeroe": "Atlantic/Faroe",
  "Europe/Kiev": "Europe/Kyiv",
};

/** The browser's zone, by its present name. */
export function browserZone(): string {
  return presentName(Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC");
}

/** All zones that the browser knows, by their present names, UTC first. */
export function zoneNames(): string[] {
  return [...new Set(["UTC", ...Intl.supportedValuesOf("timeZone").map(presentName).toSorted()])];
}

const presentName = (zone: string): string => RENAMED[zone] ?? zone;
