import { useEffect, useState } from "preact/hooks";
import { browserZone, navigate, view } from "../state/view";
import { t } from "../text/index";

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

export function ZoneControl() {
  const own = browserZone();
  const [zones, setZones] = useState<string[]>([]);
  useEffect(() => {
    // Hundreds of options: not in the same task as the first view.
    const timer = setTimeout(() => setZones(zoneNames()));
    return () => clearTimeout(timer);
  }, []);
  const { zone } = view.value;
  return (
    <label class="choice">
      <span class="choice-label">{t("zone.label")}</span>
      <select class="page-input" value={zone} onChange={(event) => navigate({ zone: event.currentTarget.value })}>
        <optgroup label={t("zone.browser")}>
          <option value={own}>{own}</option>
        </optgroup>
        <optgroup label={t("zone.all")}>
          {/* An address may name a zone by another of its names. */}
          {zone !== own && !zones.includes(zone) && <option value={zone}>{zone}</option>}
          {zones.filter((one) => one !== own).map((one) => <option key={one} value={one}>{one}</option>)}
        </optgroup>
      </select>
    </label>
  );
}

function zoneNames(): string[] {
  const names = Intl.supportedValuesOf("timeZone").map((zone) => RENAMED[zone] ?? zone);
  return [...new Set(["UTC", ...names.toSorted()])];
}
