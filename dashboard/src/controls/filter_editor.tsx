import { useState } from "preact/hooks";
import { api } from "../api/client";
import type { Value } from "../api/types";
import { ErrorNote } from "../overview/error_note";
import { schemaOf } from "../state/schema";
import { filterOf, wordOf, type Filter } from "../state/filters";
import { fieldName } from "../state/names";
import { named, t } from "../text/index";
import { keptValues, kindOf, wordsOf, type Kind } from "./value_kinds";
import { ValueList } from "./value_list";

interface EditorProps {
  /** The filter to change; null: a new one. */
  start: Filter | null;
  /** Whether the search for values has the focus, instead of the field. */
  inSearch: boolean;
  onApply(filter: Filter): void;
}

const PAYLOAD = "payload.<key>";
const FIRST_FIELD = "outcome";

/** Field, condition and values of one filter. */
export function FilterEditor({ start, inSearch, onApply }: EditorProps) {
  const schema = schemaOf(api);
  const { data, error } = schema.state.value;
  const fields = data ?? [];
  const isPayload = start?.field.startsWith("payload.") ?? false;
  const [choice, setChoice] = useState(isPayload ? PAYLOAD : (start?.field ?? FIRST_FIELD));
  const [key, setKey] = useState(isPayload ? start!.field.slice("payload.".length) : "");
  const [word, setWord] = useState(start === null ? "is" : wordOf(start.op));
  const [values, setValues] = useState<Value[]>(start?.values ?? []);
  const [missing, setMissing] = useState<"key" | "value" | null>(null);

  const known = fields.find((field) => field.name === choice) ?? { name: choice, type: "text", ops: [start?.op ?? "eq"] };
  const words = wordsOf(known);
  const chosen = words.includes(word) ? word : words[0]!;
  const field = choice === PAYLOAD ? `payload.${key}` : choice;

  const submit = (event: Event) => {
    event.preventDefault();
    const filter = filterOf(field, chosen, values);
    if (field === "payload.") setMissing("key");
    else if (filter === null) setMissing("value");
    else onApply(filter);
  };
  const change = (changed: Value[]) => {
    setValues(changed);
    setMissing(null);
  };
  const chooseField = (name: string) => {
    setChoice(name);
    change([]);
  };
  const chooseWord = (name: string) => {
    setWord(name);
    change(keptValues(known, chosen, name, values));
  };
  const typeKey = (text: string) => {
    setKey(text.trim());
    setMissing(null);
  };
  return (
    <form class="editor" onSubmit={submit} noValidate>
      {error !== null && <ErrorNote title={t("filter.fields")} error={error} onRetry={schema.reload} />}
      <label>
        {t("filter.field")}
        <select class="page-input" value={choice} autofocus={!inSearch} onChange={(event) => chooseField(event.currentTarget.value)}>
          {fields.length === 0 && <option value={choice}>{fieldName(choice)}</option>}
          {fields.map(({ name }) => (
            <option key={name} value={name}>{name === PAYLOAD ? t("field.payload") : fieldName(name)}</option>
          ))}
        </select>
      </label>
      {choice === PAYLOAD && (
        <label>
          {t("filter.key")}
          <input class="page-input" value={key} spellcheck={false} aria-invalid={missing === "key"} onInput={(event) => typeKey(event.currentTarget.value)} />
        </label>
      )}
      <label>
        {t("filter.op")}
        <select class="page-input" value={chosen} onChange={(event) => chooseWord(event.currentTarget.value)}>
          {words.map((one) => <option key={one} value={one}>{named("op", one)}</option>)}
        </select>
      </label>
      {/* A key of the payload is typed, and what is beside it stays meanwhile. */}
      <Values key={`${choice} ${kindOf(known, chosen)}`} field={field} kind={kindOf(known, chosen)} values={values} inSearch={inSearch} onChange={change} />
      {missing !== null && <p class="page-fault" role="alert">{t(`filter.missing.${missing}`)}</p>}
      <button type="submit" class="page-button is-primary">{t("filter.apply")}</button>
    </form>
  );
}

interface ValuesProps {
  field: string;
  kind: Kind;
  values: Value[];
  inSearch: boolean;
  onChange(values: Value[]): void;
}

function Values({ field, kind, values, inSearch, onChange }: ValuesProps) {
  switch (kind) {
    case "none":
      return null;
    case "list":
      return field === "payload." ? null : <ValueList field={field} chosen={values} inSearch={inSearch} onChange={onChange} />;
    case "range":
      return (
        <div class="editor-range">
          <NumberInput name={t("filter.least")} value={values[0]} onChange={(value) => onChange([value, values[1] ?? NaN])} />
          <NumberInput name={t("filter.most")} value={values[1]} onChange={(value) => onChange([values[0] ?? NaN, value])} />
        </div>
      );
    case "number":
      return <NumberInput name={t("filter.value")} value={values[0]} onChange={(value) => onChange([value])} />;
    case "text":
      return (
        <label>
          {t("filter.value")}
          <input class="page-input" value={String(values[0] ?? "")} spellcheck={false} onInput={(event) => onChange([event.currentTarget.value])} />
        </label>
      );
  }
}

interface NumberProps {
  name: string;
  value: Value | undefined;
  onChange(value: number): void;
}

function NumberInput({ name, value, onChange }: NumberProps) {
  const [text, setText] = useState(typeof value === "number" && !Number.isNaN(value) ? String(value) : "");
  return (
    <label>
      {name}
      <input
        class="page-input" type="number" step="any" value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          onChange(event.currentTarget.valueAsNumber);
        }}
      />
    </label>
  );
}
