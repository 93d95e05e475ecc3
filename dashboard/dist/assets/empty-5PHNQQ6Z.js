import{a as E}from"./chunk-TNC6LIJG.js";import{a as v}from"./chunk-RV5PPIS5.js";import{a as u,ca as s,d as y,da as d,e as f,ea as t,h as g,x as h}from"./chunk-GI6HUSHN.js";var c="YOUR_TOKEN";function b(e,r){let n=new Date(r.getTime()-9e4).toISOString().replace(/\.\d+Z$/,"Z");return[{id:"curl",text:T(e,n)},{id:"python",text:O(e,n)},{id:"import",text:_(e,n)}]}function T(e,r){return`curl -sS "${e}/v1/records" \\
  -H "Authorization: Token ${c}" \\
  -d '{"records": [{
    "type": "call",
    "id": "first-call",
    "started_at": "${r}",
    "status": "completed",
    "direction": "inbound",
    "duration_seconds": 84
  }]}'
`}function O(e,r){return`import json
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
`}function _(e,r){return`cat > first-call.csv <<'END'
id,started_at,status,direction,duration_seconds
first-call,${r},completed,inbound,84
END
ROLLCALL_TOKEN="${c}" rollcall import first-call.csv \\
  --type call --api "${e}"
`}var w=3e3,k="rollcall token create HANDLE --scope ingest";function K({api:e,onArrived:r}){let n=g(()=>b(location.origin,new Date),[]),o=S(e,r);return t("section",{class:"empty","aria-labelledby":"empty-title",children:[t("h2",{id:"empty-title",class:"empty-title",children:s("empty.title")}),t("p",{class:"empty-lead",children:s("empty.lead")}),t("p",{class:"empty-waiting",role:"status",children:[t("span",{class:"empty-pulse","aria-hidden":"true"}),o===null?s("empty.waiting"):s("empty.failed",{message:o})]}),t("div",{class:"empty-ways",children:[n.map(({id:i,text:a})=>t("div",{class:"empty-way",children:[t("header",{class:"empty-head",children:[t("h3",{id:`empty-${i}`,children:d("empty.way",i)}),t("p",{children:d("empty.about",i)}),t(v,{text:a,label:s("empty.copy")})]}),t("pre",{tabIndex:0,role:"region","aria-labelledby":`empty-${i}`,children:t("code",{children:a})})]},i)),t("div",{class:"empty-way",children:t("header",{class:"empty-head",children:[t("h3",{children:s("empty.way.hook")}),t("p",{children:s("empty.about.hook")}),t(E,{class:"drawer-button",change:{all:null,page:{kind:"sources"}},children:s("sources.connect")})]})})]}),t("p",{class:"empty-token",children:t(A,{text:s("empty.token")})})]})}function A({text:e}){let r={placeholder:c,command:k},n=e.split(/\{(\w+)\}/);return t(u,{children:n.map((o,i)=>i%2===0?o:t("code",{children:r[o]},o))})}function S(e,r){let[n,o]=y(null);return f(()=>{let i=new AbortController,a,L=async()=>{try{let{body:l}=await e.query({measures:["calls"],timezone:"UTC"},i.signal);if((l.totals.calls??0)>0)return r();o(null)}catch(l){if(i.signal.aborted)return;let m=l instanceof Error?l:new Error(String(l));if(o(m.message),h(m))return}a=setTimeout(p,w)},p=()=>{document.visibilityState==="visible"?L():document.addEventListener("visibilitychange",p,{once:!0})};return a=setTimeout(p,w),()=>{i.abort(),clearTimeout(a),document.removeEventListener("visibilitychange",p)}},[e]),n}export{K as EmptyOrganisation};
