import { useEffect, useState } from "preact/hooks";
import { navigate, view } from "../state/view";
import { browserZone, zoneNames } from "../state/zones";
import { t } from "../text/index";

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
