import { useMemo } from "preact/hooks";
import { browserZone, navigate, view } from "../state/view";
import { t } from "../text/index";

export function ZoneControl() {
  const own = browserZone();
  const zones = useMemo(() => ["UTC", ...Intl.supportedValuesOf("timeZone").filter((zone) => zone !== "UTC")], []);
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
