import "./styles/tokens.css";
import { render } from "preact";
import { App } from "./app";
import { resumeSession } from "./state/session";
import { startView } from "./state/view";
import { language } from "./text/index";

document.documentElement.lang = language;
resumeSession();
startView();
const root = document.getElementById("app");
if (root !== null) render(<App />, root);
