import { t } from "../text/index";

export function CloseButton({ onClose }: { onClose(): void }) {
  return (
    <button
      type="button" class="drawer-button drawer-sign" aria-label={t("shell.close")} title={t("shell.close")}
      onClick={onClose}
    >
      ×
    </button>
  );
}
