// Imported first by tests of modules that read the browser's language: Node 20 has no navigator.
Object.defineProperty(globalThis, "navigator", { value: { language: "en-GB", languages: ["en-GB"] }, configurable: true });
