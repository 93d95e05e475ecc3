import { session } from "./state/session";
import { t } from "./text/index";

export function App() {
  return session.value === null ? <main>{t("shell.product")}</main> : <main>{t("shell.loading")}</main>;
}
