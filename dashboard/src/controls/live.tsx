import { navigate, view } from "../state/view";
import { t } from "../text/index";

export function LiveSwitch() {
  const { live } = view.value;
  return (
    <button
      type="button" class="live" role="switch" aria-checked={live} title={t("live.hint")}
      onClick={() => navigate({ live: !live }, "replace")}
    >
      <span class="live-track" aria-hidden="true"><span class="live-knob" /></span>
      {t("live.label")}
    </button>
  );
}
