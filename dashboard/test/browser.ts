// Imported first by tests of modules that read the browser's language: Node 20 has no navigator.
const languages = [process.env["TEST_LOCALE"] ?? "en-GB"];
Object.defineProperty(globalThis, "navigator", { value: { language: languages[0], languages }, configurable: true });
