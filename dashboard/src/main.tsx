import "./styles/tokens.css";
import "./styles/page.css";
import "./styles/signin.css";
import "./styles/charts.css";
import "./styles/drawer.css";
import "./styles/sheets.css";
import { render } from "preact";
import { App } from "./app";
import { signInByCode } from "./sign_in";
import { resumeSession } from "./state/session";
import { startView } from "./state/view";
import { language } from "./text/index";

document.documentElement.lang = language;
resumeSession();
const signedIn = signInByCode();
startView();
const root = document.getElementById("app");
if (root !== null) void signedIn.then(() => render(<App />, root));
