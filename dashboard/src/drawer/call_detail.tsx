import type { Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ApiError, type Api } from "../api/client";
import type { Call, CallAnswer } from "../api/types";
import { ErrorNote } from "../overview/error_note";
import { addFilter, type Filter } from "../state/filters";
import { wantNames } from "../state/names";
import { useResource } from "../state/resource";
import { navigate, view, type View } from "../state/view";
import { named, t } from "../text/index";
import { eventsOf, payloadOf, sectionsOf, type ShownField } from "./call_fields";
import type { CallPages } from "./call_pages";
import { CloseButton } from "./close_button";
import { CopyButton } from "./copy_button";
import { detailOf } from "./detail_fields";
import { DetailPart } from "./detail_part";
import { useOnline } from "./online";
import { ViewLink } from "./view_link";
import { fieldName, written } from "./written";

export interface CallDetailProps {
  id: string;
  view: Signal<View>;
  api: Api;
  /** The list that the call is from; it may not hold the call, as when its address was opened. */
  pages: CallPages<Call>;
  onClose(): void;
  titleId: string;
}

const COUNTED_AGAIN_MS = 2_000;

/** One call: every field, its detail, the record as JSON, and whether the figures hold it yet. */
export function CallDetail({ id, view, api, pages, onClose, titleId }: CallDetailProps) {
  const found = useResource(() => id, api.call, [id]);
  const { data, error } = found.state.value;
  const answer = data?.body ?? null;
  const record = answer?.record ?? pages.calls.value.find((call) => String(call.id) === id) ?? null;
  const title = useRef<HTMLHeadingElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  useEffect(() => title.current?.focus(), []);
  useEffect(() => scroller.current?.scrollTo(0, 0), [id]);
  useEffect(() => {
    for (const dimension of ["campaign_id", "space_token", "label"]) wantNames(dimension, view.peek());
  }, []);
  useEffect(() => {
    if (answer === null || answer.counted) return;
    const timer = setTimeout(found.reload, COUNTED_AGAIN_MS);
    return () => clearTimeout(timer);
  }, [answer]);

  useOnline(() => error !== null && void found.reload());

  const isUnknown = error instanceof ApiError && error.status === 404;
  return (
    <>
      <header class="drawer-head">
        <ViewLink change={{ call: null, calls: true }} class="drawer-button">← {t("call.back")}</ViewLink>
        <Neighbours id={id} pages={pages} />
        <CloseButton onClose={onClose} />
      </header>
      <div class="drawer-scroll call" ref={scroller}>
        <h2 id={titleId} ref={title} class="call-title" tabIndex={-1} autofocus>
          {t("call.title")} <span class="call-id">{id}</span>
        </h2>
        {isUnknown ? (
          <div class="drawer-state">
            <p class="drawer-state-title">{t("call.unknown")}</p>
            <p>{t("call.unknown.why")}</p>
          </div>
        ) : error !== null ? (
          <ErrorNote title={t("call.title")} error={error} onRetry={found.reload} />
        ) : null}
        {!isUnknown && record !== null && <Record record={record} answer={answer} zone={view.value.zone} />}
        {record === null && error === null && <Skeleton />}
      </div>
    </>
  );
}

function Record({ record, answer, zone }: { record: Call; answer: CallAnswer | null; zone: string }) {
  const full: Record<string, unknown> = { ...record, updated_at: answer?.updated_at ?? record.updated_at };
  const detail = detailOf(full);
  const events = eventsOf(full);
  const payload = payloadOf(full);
  const json = JSON.stringify(answer ?? record, null, 2);
  return (
    <>
      <Counted answer={answer} />
      {sectionsOf(full).map((section) => (
        <section key={section.id} class="call-part">
          <h3>{named("call.section", section.id)}</h3>
          <dl class="call-fields">
            {section.fields.map((field) => <Field key={field.key} field={field} zone={zone} />)}
          </dl>
        </section>
      ))}
      {detail !== null && <DetailPart detail={detail} />}
      {events.length > 0 && (
        <section class="call-part">
          <h3>{t("call.events")}</h3>
          <dl class="call-fields">
            {events.map(({ name, count, filter }) => (
              <div key={name}>
                <dt>{fieldName(`event.${name}`)}</dt>
                <dd><Value text={written("name", name, count, zone)} filter={filter} /></dd>
              </div>
            ))}
          </dl>
        </section>
      )}
      {payload.length > 0 && (
        <section class="call-part">
          <h3 id="call-payload">{t("call.payload")}</h3>
          <table class="call-payload" aria-labelledby="call-payload">
            <thead>
              <tr><th scope="col">{t("call.payload.key")}</th><th scope="col">{t("call.payload.value")}</th></tr>
            </thead>
            <tbody>
              {payload.map(({ key, value, filter }) => (
                <tr key={key}>
                  <th scope="row">{key}</th>
                  <td><Value text={value === null ? "null" : String(value)} filter={filter} /></td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      <section class="call-part">
        <details>
          <summary>{t("call.raw")}</summary>
          <CopyButton text={json} label={t("call.copy")} />
          <pre class="call-raw" tabIndex={0} role="region" aria-label={t("call.raw")}>{json}</pre>
        </details>
      </section>
    </>
  );
}

function Counted({ answer }: { answer: CallAnswer | null }) {
  const is = answer === null ? "unknown" : answer.counted ? "yes" : "no";
  return (
    <p class={`call-counted call-counted-${is}`} role="status">
      {answer !== null && <><strong>{named("call.counted", is)}</strong> {named("call.counted.why", is)}</>}
    </p>
  );
}

function Field({ field, zone }: { field: ShownField; zone: string }) {
  return (
    <div>
      <dt>{fieldName(field.key)}</dt>
      <dd>
        {field.values.map(({ value, filter }) => {
          // The filter has an id as the text by which it has its name.
          const named = field.kind === "name" ? filter?.values[0] ?? String(value) : value;
          const text = written(field.kind, filter?.field ?? field.key, named, zone);
          return <Value key={String(value)} text={text} filter={filter} />;
        })}
      </dd>
    </div>
  );
}

/** A value; with a filter, a click shows the calls that have it too. */
function Value({ text, filter }: { text: string; filter: Filter | null }) {
  if (filter === null) return <span>{text}</span>;
  const show = () => navigate({ filters: addFilter(view.value.filters, filter), calls: true, call: null });
  return <button type="button" class="call-value" title={t("call.filter")} onClick={show}>{text}</button>;
}

/** The calls before and after this one in the list; at the end of what is loaded, more is. */
function Neighbours({ id, pages }: { id: string; pages: CallPages<Call> }) {
  const calls = pages.calls.value;
  const place = calls.findIndex((call) => String(call.id) === id);
  const isLast = place >= 0 && place === calls.length - 1;
  useEffect(() => {
    if (isLast) void pages.more();
  }, [isLast]);
  const newer = place < 0 ? undefined : calls[place - 1];
  const older = place < 0 ? undefined : calls[place + 1];
  return (
    <div class="call-neighbours">
      <Neighbour call={newer} label={t("call.newer")} sign="↑" />
      <Neighbour call={older} label={t("call.older")} sign="↓" />
    </div>
  );
}

function Neighbour({ call, label, sign }: { call: Call | undefined; label: string; sign: string }) {
  const open = () => call !== undefined && navigate({ call: String(call.id) }, "replace");
  return (
    <button
      type="button" class="drawer-button drawer-sign" disabled={call === undefined} aria-label={label} title={label}
      onClick={open}
    >
      {sign}
    </button>
  );
}

function Skeleton() {
  return (
    <div class="call-skeleton" aria-hidden="true">
      {Array.from({ length: 8 }, (_, index) => <span key={index} />)}
    </div>
  );
}
