/** What an empty organisation is shown: three ways to send its first call. */

export interface Sample {
  id: "curl" | "python" | "import";
  text: string;
}

/** Stands where the reader puts a token; a page never shows the token that it is signed in with. */
export const TOKEN_PLACEHOLDER = "YOUR_TOKEN";

/** The same call in three ways, for the API at `address`, started a minute and a half before `now`. */
export function firstCallSamples(address: string, now: Date): Sample[] {
  const startedAt = new Date(now.getTime() - 90_000).toISOString().replace(/\.\d+Z$/, "Z");
  return [
    { id: "curl", text: curl(address, startedAt) },
    { id: "python", text: python(address, startedAt) },
    { id: "import", text: csv(address, startedAt) },
  ];
}

function curl(address: string, startedAt: string): string {
  return `curl -sS "${address}/v1/records" \\
  -H "Authorization: Token ${TOKEN_PLACEHOLDER}" \\
  -d '{"records": [{
    "type": "call",
    "id": "first-call",
    "started_at": "${startedAt}",
    "status": "completed",
    "direction": "inbound",
    "duration_seconds": 84
  }]}'
`;
}

function python(address: string, startedAt: string): string {
  return `import json
from urllib.request import Request, urlopen

call = {
    "type": "call",
    "id": "first-call",
    "started_at": "${startedAt}",
    "status": "completed",
    "direction": "inbound",
    "duration_seconds": 84,
}
request = Request(
    "${address}/v1/records",
    data=json.dumps({"records": [call]}).encode(),
    headers={"Authorization": "Token ${TOKEN_PLACEHOLDER}"},
)
print(urlopen(request).read().decode())
`;
}

function csv(address: string, startedAt: string): string {
  return `cat > first-call.csv <<'END'
id,started_at,status,direction,duration_seconds
first-call,${startedAt},completed,inbound,84
END
ROLLCALL_TOKEN="${TOKEN_PLACEHOLDER}" rollcall import first-call.csv \\
  --type call --api "${address}"
`;
}
