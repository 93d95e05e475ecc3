import{a as f}from"./chunk-E4OMOF33.js";import{d as m,g as u,h as y,k as g,o,p as d,q as t}from"./chunk-WWZNB4BW.js";var c="YOUR_TOKEN";function E(e,r){let n=new Date(r.getTime()-9e4).toISOString().replace(/\.\d+Z$/,"Z");return[{id:"curl",text:h(e,n)},{id:"python",text:T(e,n)},{id:"import",text:O(e,n)}]}function h(e,r){return`curl -sS "${e}/v1/records" \\
  -H "Authorization: Token ${c}" \\
  -d '{"records": [{
    "type": "call",
    "id": "first-call",
    "started_at": "${r}",
    "status": "completed",
    "direction": "inbound",
    "duration_seconds": 84
  }]}'
`}function T(e,r){return`import json
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
`}function O(e,r){return`cat > first-call.csv <<'END'
id,started_at,status,direction,duration_seconds
first-call,${r},completed,inbound,84
END
ROLLCALL_TOKEN="${c}" rollcall import first-call.csv \\
  --type call --api "${e}"
`}var v=3e3,_="rollcall token create HANDLE --scope ingest";function R({api:e,onArrived:r}){let n=g(()=>E(location.origin,new Date),[]),s=L(e,r);return t("section",{class:"empty","aria-labelledby":"empty-title",children:[t("h2",{id:"empty-title",class:"empty-title",children:o("empty.title")}),t("p",{class:"empty-lead",children:o("empty.lead")}),t("p",{class:"empty-waiting",role:"status",children:[t("span",{class:"empty-pulse","aria-hidden":"true"}),s===null?o("empty.waiting"):o("empty.failed",{message:s})]}),t("div",{class:"empty-ways",children:n.map(({id:i,text:a})=>t("div",{class:"empty-way",children:[t("header",{class:"empty-head",children:[t("h3",{id:`empty-${i}`,children:d("empty.way",i)}),t("p",{children:d("empty.about",i)}),t(f,{text:a,label:o("empty.copy")})]}),t("pre",{tabIndex:0,role:"region","aria-labelledby":`empty-${i}`,children:t("code",{children:a})})]},i))}),t("p",{class:"empty-token",children:t(A,{text:o("empty.token")})})]})}function A({text:e}){let r={placeholder:c,command:_},n=e.split(/\{(\w+)\}/);return t(m,{children:n.map((s,i)=>i%2===0?s:t("code",{children:r[s]},s))})}function L(e,r){let[n,s]=u(null);return y(()=>{let i=new AbortController,a,b=async()=>{try{let{body:l}=await e.query({measures:["calls"],timezone:"UTC"},i.signal);if((l.totals.calls??0)>0)return r();s(null)}catch(l){if(i.signal.aborted)return;s(l instanceof Error?l.message:String(l))}a=setTimeout(p,v)},p=()=>{document.visibilityState==="visible"?b():document.addEventListener("visibilitychange",p,{once:!0})};return a=setTimeout(p,v),()=>{i.abort(),clearTimeout(a),document.removeEventListener("visibilitychange",p)}},[e]),n}export{R as EmptyOrganisation};
