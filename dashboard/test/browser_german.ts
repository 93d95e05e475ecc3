// As browser.ts, for a German browser.
Object.defineProperty(globalThis, "navigator", { value: { language: "de-DE", languages: ["de-DE", "en"] }, configurable: true });
