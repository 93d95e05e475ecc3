import{a as v}from"./chunk-XQVCRY42.js";import{D as o,E as d,F as t,a as m,d as y,e as f,h as g,x as E}from"./chunk-RFGUIN5F.js";var c="YOUR_TOKEN";function b(e,r){let n=new Date(r.getTime()-9e4).toISOString().replace(/\.\d+Z$/,"Z");return[{id:"curl",text:O(e,n)},{id:"python",text:_(e,n)},{id:"import",text:A(e,n)}]}function O(e,r){return`curl -sS "${e}/v1/records" \\
  -H "Authorization: Token ${c}" \\
  -d '{"records": [{
    "type": "call",
    "id": "first-call",
    "started_at": "${r}",
    "status": "completed",
    "direction": "inbound",
    "duration_seconds": 84
  }]}'
`}function _(e,r){return`import json
from urllib.request import Request, urlopen

call = {
    "type": "call",
    "id": "first-call",
    "started_at": "${r}",
    "status": "completed",
    "direction": "inbound",
    "duration_seconds": 84,
}
request = Request(
    "${e}/v1/records",
    data=json.dumps({"records": [call]}).encode(),
    headers={"Authorization": "Token ${c}"},
)
print(urlopen(request).read().decode())
`}function A(e,r){return`cat > first-call.csv <<'END'
id,started_at,status,direction,duration_seconds
first-call,${r},completed,inbound,84
END
ROLLCALL_TOKEN="${c}" rollcall import first-call.csv \\
  --type call --api "${e}"
`}var h=3e3,L="rollcall token create HANDLE --scope ingest";function N({api:e,onArrived:r}){let n=g(()=>b(location.origin,new Date),[]),s=S(e,r);return t("section",{class:"empty","aria-labelledby":"empty-title",children:[t("h2",{id:"empty-title",class:"empty-title",children:o("empty.title")}),t("p",{class:"empty-lead",children:o("empty.lead")}),t("p",{class:"empty-waiting",role:"status",children:[t("span",{class:"empty-pulse","aria-hidden":"true"}),s===null?o("empty.waiting"):o("empty.failed",{message:s})]}),t("div",{class:"empty-ways",children:n.map(({id:i,text:a})=>t("div",{class:"empty-way",children:[t("header",{class:"empty-head",children:[t("h3",{id:`empty-${i}`,children:d("empty.way",i)}),t("p",{children:d("empty.about",i)}),t(v,{text:a,label:o("empty.copy")})]}),t("pre",{tabIndex:0,role:"region","aria-labelledby":`empty-${i}`,children:t("code",{children:a})})]},i))}),t("p",{class:"empty-token",children:t(w,{text:o("empty.token")})})]})}function w({text:e}){let r={placeholder:c,command:L},n=e.split(/\{(\w+)\}/);return t(m,{children:n.map((s,i)=>i%2===0?s:t("code",{children:r[s]},s))})}function S(e,r){let[n,s]=y(null);return f(()=>{let i=new AbortController,a,T=async()=>{try{let{body:l}=await e.query({measures:["calls"],timezone:"UTC"},i.signal);if((l.totals.calls??0)>0)return r();s(null)}catch(l){if(i.signal.aborted)return;let u=l instanceof Error?l:new Error(String(l));if(s(u.message),E(u))return}a=setTimeout(p,h)},p=()=>{document.visibilityState==="visible"?T():document.addEventListener("visibilitychange",p,{once:!0})};return a=setTimeout(p,h),()=>{i.abort(),clearTimeout(a),document.removeEventListener("visibilitychange",p)}},[e]),n}export{N as EmptyOrganisation};
