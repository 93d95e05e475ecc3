/** The providers that have hooks, by the names of `rollcall hook create --provider`. */
export const PROVIDERS = [
  { name: "vapi", title: "Vapi" },
  { name: "retell", title: "Retell" },
  { name: "elevenlabs", title: "ElevenLabs Agents" },
  { name: "twilio", title: "Twilio" },
  { name: "livekit", title: "LiveKit" },
  { name: "bland", title: "Bland" },
  { name: "generic", title: null },
] as const;

/** The command that creates a hook, as `docs/providers` has it. */
export function createCommand(provider: string, handle: string, api: string): string {
  const map = provider === "generic" ? " --map map.toml" : "";
  return `rollcall hook create ${handle} --provider ${provider}${map} --secret-file secret --api ${api}`;
}

/** The command that creates a token with which this page can be read. */
export const TOKEN_COMMAND = "rollcall token create HANDLE --scope read --scope admin";

/** The command that sends signed samples to the local stack at `api`. */
export function tryCommand(api: string): string {
  return `rollcall hook try --api ${api}`;
}
