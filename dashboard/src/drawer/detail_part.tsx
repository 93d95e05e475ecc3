import { formatDuration } from "../format/durations";
import { named, t } from "../text/index";
import type { Detail, Turn } from "./detail_fields";

/** What was said in a call, where that was sent. */
export function DetailPart({ detail }: { detail: Detail }) {
  const { summary, transcript, recording, links, from, to } = detail;
  return (
    <>
      {(from !== null || to !== null) && (
        <section class="call-part">
          <h3>{t("call.numbers")}</h3>
          <dl class="call-fields">
            {from !== null && <div><dt>{t("call.from")}</dt><dd><span>{from}</span></dd></div>}
            {to !== null && <div><dt>{t("call.to")}</dt><dd><span>{to}</span></dd></div>}
          </dl>
        </section>
      )}
      {summary !== null && (
        <section class="call-part">
          <h3>{t("call.summary")}</h3>
          <p class="call-text">{summary}</p>
        </section>
      )}
      {recording !== null && (
        <section class="call-part">
          <h3>{t("call.recording")}</h3>
          <audio class="call-audio" controls preload="none" src={recording} aria-label={t("call.recording")} />
          <p><OutsideLink url={recording} name={t("call.recording.open")} /></p>
        </section>
      )}
      {transcript.length > 0 && (
        <section class="call-part">
          <h3>{t("call.transcript")}</h3>
          <ol class="call-turns">
            {transcript.map((turn, index) => <TurnItem key={index} turn={turn} />)}
          </ol>
        </section>
      )}
      {links.length > 0 && (
        <section class="call-part">
          <h3>{t("call.links")}</h3>
          <ul class="call-links">
            {links.map(({ name, url }, index) => <li key={index}><OutsideLink url={url} name={name} /></li>)}
          </ul>
        </section>
      )}
    </>
  );
}

function TurnItem({ turn }: { turn: Turn }) {
  return (
    <li class="call-turn">
      <span class="call-role">{named("call.role", turn.role)}</span>
      {turn.atSeconds !== null && <span class="call-at">{formatDuration(turn.atSeconds)}</span>}
      <p class="call-text">{turn.text}</p>
    </li>
  );
}

/** A link to another site, which does not learn where the reader came from. */
function OutsideLink({ url, name }: { url: string; name: string }) {
  return <a href={url} target="_blank" rel="noopener noreferrer">{name}</a>;
}
