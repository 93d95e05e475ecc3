"""Generate docs/records.md, the reference of record types, from the models that parse records.

`python -m rollcall_cli.openapi.reference` prints it. Fields, rules and meanings are those of the
OpenAPI document, and examples are the records of its first example. Only the common rules are prose.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from rollcall.api.ingest import MAX_BODY_BYTES, MAX_RECORDS
from rollcall.api.records.documents import DOCUMENTS, Deletion
from rollcall.api.strict_json import MAX_DEPTH
from rollcall.domain.facts import MAX_CLOCK_SKEW_MS
from rollcall.domain.records import RECORD_TYPES
from rollcall.domain.validation import (
    MAX_AMOUNT,
    MAX_DETAIL_BYTES,
    MAX_ID_LENGTH,
    MAX_INTEGER,
    MAX_LABELS,
    MAX_PAYLOAD_KEYS,
    MAX_TEXT_LENGTH,
    PAYLOAD_KEY,
)
from rollcall_cli.demo_output import pretty
from rollcall_cli.local.project import find_template
from rollcall_cli.openapi.api import records
from rollcall_cli.openapi.examples import EXAMPLES, SETTING, read_examples
from rollcall_cli.openapi.schemas import name_of, request_schemas

JsonObject = dict[str, Any]

# Every record has these; the tables of the types omit them.
COMMON = ("type", "id", "updated_at")

_JSON_WIDTH = 90
_PROSE_WIDTH = 103
_LINKS = {
    "Id": "[id](#ids)",
    "Instant": "[instant](#times)",
    "Payload": "[payload](#payload)",
    "Detail": "[detail](#detail)",
    "Turn": "[turns](#detail)",
    "Link": "[links](#detail)",
}
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def reference(project: Path) -> str:
    """The page, with the examples of a project."""
    schemas = request_schemas(records.TAG, [records.Records])
    records.refine_documents(schemas)
    examples = _examples(project / EXAMPLES)
    parts = [_opening(schemas), _list_of_types(schemas)]
    parts += [
        _type_section(name, schemas[name_of(records.TAG, model)], examples[name])
        for name, model in DOCUMENTS.items()
    ]
    parts.append(_common_rules(schemas, examples["call"]))
    return "\n\n".join(parts) + "\n"


def _examples(folder: Path) -> dict[str, JsonObject]:
    """For each type, the record of the first example with the most fields."""
    function, case = SETTING
    [example] = [each for each in read_examples(folder)[function] if each.name == case]
    chosen: dict[str, JsonObject] = {}
    for record in example.request["body"]["records"]:
        known = chosen.setdefault(record["type"], record)
        if len(record) > len(known):
            chosen[record["type"]] = record
    return chosen


# ------------------------------------------------------------------------------ sections
def _opening(schemas: JsonObject) -> str:
    common = schemas[name_of(records.TAG, Deletion)]
    return f"""# Records

<!-- Written by `make records` from the models that parse records. Do not edit it by hand. -->

`POST /v1/records` takes 1 to {MAX_RECORDS} records in `{{"records": […]}}`, of any types, with a token
that has the permission `ingest`. Each record is a full document: it replaces the one with the same `type`
and `id`, and a field that it omits is removed, unless it is a [merge](#merging). Sending it again changes
nothing.

Every record has these fields:

{_table(common, COMMON)}

A record with an unknown field is rejected, and so is one with a value of another JSON type: `"1"` is
not 1, and 1.0 is not an integer. `null` is allowed only where the type says so. The
[common rules](#common-rules) follow the types."""


def _list_of_types(schemas: JsonObject) -> str:
    lines = ["## Types", "", "| type | meaning | time |", "|---|---|---|"]
    for name, model in DOCUMENTS.items():
        schema = schemas[name_of(records.TAG, model)]
        field = RECORD_TYPES[name].time_field
        time = f"`{field}`" if field else "none"
        lines.append(f"| [`{name}`](#{name}) | {_sentence(schema['description'])} | {time} |")
    return "\n".join(lines)


def _type_section(name: str, schema: JsonObject, example: JsonObject) -> str:
    fields = [field for field in schema["properties"] if field not in COMMON]
    return f"""## {name}

{schema["description"]}

{_table(schema, fields)}

{_json(example)}"""


def _common_rules(schemas: JsonObject, call: JsonObject) -> str:
    described = {name: schemas[f"{records.TAG.lower()}.{name}"]["description"] for name in _LINKS}
    deletion = {"type": "call", "id": call["id"], "deleted": True} | {
        "updated_at": "2026-11-21T08:00:00Z"
    }
    merge = {
        "type": "call",
        "id": call["id"],
        "merge": True,
        "outcome": "callback",
        "sentiment": None,
    }
    return f"""## Common rules

### Ids

{_filled(described["Id"])}

A string has 1 to {MAX_ID_LENGTH} characters and no control characters. In a path, write a slash as `%2F`. An id
is unique within its type and your organisation. A reference may name a record that does not exist.

### Times

{_filled(described["Instant"])}

The time of a record, if its type has one, decides on which day it is counted. A version
that wins with another time moves the record there. A version that would give it more than 16 different
times over its life is rejected.

### Which version wins

The version with the newest `updated_at` wins, in any order of arrival; an older one is reported as
`stale` and not stored. Without `updated_at`, a version gets the server's time, or one millisecond more
than the stored version if that is later. Of two versions with the same `updated_at` and different
content, a deletion wins, else the one whose status is further, else the one whose content has the higher
hash. The same content with the same `updated_at`, or without one, is `unchanged`.

{_progress()}

### Merging

With `"merge": true`, a record sets only the fields that it names; null takes a value away:

{_json(merge)}

Each field has the value of the newest version that set it, where a full document sets every field and a
merge those that it names. So parts of a record may arrive in any order. An object or a list is one
field: a merge replaces it as a whole. A merge of a record that does not exist, or is deleted, must have
the required fields. They can be changed, but not taken away.

### Deleting

{_sentence(schemas[name_of(records.TAG, Deletion)]["description"])}:

{_json(deletion)}

A deletion is stored even for an unknown id, so that an older version that arrives later is stale. A
record with a newer `updated_at` restores the id. Events of a deleted room or booking page are still
counted; a deleted call is not.

### Payload

{_filled(described["Payload"])}

A payload has at most {MAX_PAYLOAD_KEYS} keys that match `{PAYLOAD_KEY.pattern}`; values are strings,
numbers, booleans or null. A number never equals a string, and 2 equals 2.0.

### Detail

{_filled(described["Detail"])} An object of at most {MAX_DETAIL_BYTES:,} bytes as compact JSON, in UTF-8:

{_table_of(schemas, "Detail")}

A turn of the transcript:

{_table_of(schemas, "Turn")}

A link:

{_table_of(schemas, "Link")}

### Limits

| | at most |
|---|---|
| records in a request | {MAX_RECORDS} |
| bytes of a request | {MAX_BODY_BYTES:,} |
| levels of a request's JSON | {MAX_DEPTH} |
| characters of a string | {MAX_TEXT_LENGTH} |
| characters of an id, digits of an integer id | {MAX_ID_LENGTH} |
| an integer | {_number(MAX_INTEGER)} |
| a duration, a cost | {_number(MAX_AMOUNT)} |
| labels of a call | {MAX_LABELS} |
| keys of a payload | {MAX_PAYLOAD_KEYS} |
| `updated_at` ahead of the server's clock | {MAX_CLOCK_SKEW_MS // 60_000} minutes |

Values are rounded once, when a record is stored, half away from zero. Figures use the stored values.

### Answers

The status is 200 if every record is accepted, 207 if some are rejected, and 422 if all are.
`accepted`, `unchanged` and `stale` are counts, and `rejected` has an entry for each fault of each
rejected record: its `index` in the request, its `id`, the `field` and a `message`. Accepted records are
stored before the answer is sent. 400 means that the body as a whole is malformed and nothing is
stored. Figures follow within seconds. [The API description](api/README.md) has the schemas."""


def _progress() -> str:
    """The statuses of each type that has some, from first to last."""
    lines = ["| type | statuses, from first to last |", "|---|---|"]
    for name, record_type in RECORD_TYPES.items():
        if early := record_type.early_statuses:
            lines.append(f"| `{name}` | {', '.join(f'`{each}`' for each in early)}, all others |")
    return "\n".join(lines)


# ------------------------------------------------------------------------------- tables
def _table_of(schemas: JsonObject, name: str) -> str:
    """The table of an object that a field has."""
    schema = schemas[f"{records.TAG.lower()}.{name}"]
    return _table(schema, schema["properties"])


def _table(schema: JsonObject, fields: Iterable[str]) -> str:
    lines = ["| field | required | type | rule | meaning |", "|---|---|---|---|---|"]
    for field in fields:
        described = schema["properties"][field]
        required = "yes" if field in schema.get("required", ()) else ""
        rules = list(_rules(described))
        rules += [f"needs `{name}`" for name in schema.get("dependentRequired", {}).get(field, ())]
        cells = (
            f"`{field}`",
            required,
            _type(described),
            "; ".join(rules),
            described["description"],
        )
        lines.append(f"| {' | '.join(cells)} |".replace("  ", " "))
    return "\n".join(lines)


def _type(described: JsonObject) -> str:
    """The JSON type of a field, or a link to the rules of ids, times and payloads."""
    if "$ref" in described:
        return _LINKS[described["$ref"].rpartition(".")[2]]
    if "anyOf" in described:
        return " or ".join(map(_type, described["anyOf"]))
    match described.get("type"):
        case "string":
            return "string"
        case "array" if described["items"]["$ref"].endswith(".Id"):
            return "list of [ids](#ids)"
        case "array":
            return f"list of {_type(described['items'])}"
        case str(name):
            return name
    raise ValueError(f"unknown type: {described}")


def _rules(described: JsonObject) -> Iterator[str]:
    """The rules for a value, apart from its type."""
    for keyword, words in _RULES.items():
        if keyword in described:
            yield words(described)
            break
    if described.get("default"):
        yield f"default `{described['default']}`"


def _rules_of_choices(described: JsonObject) -> str:
    return "; ".join(rule for each in described["anyOf"] for rule in _rules(each))


def _rule_of_keys(described: JsonObject) -> str:
    names = ", ".join(f"`{name}`" for name in described["propertyNames"]["enum"])
    [rule] = _rules(described["additionalProperties"])
    return f"keys {names}; each an integer, {rule}"


# Keyword of JSON Schema → its rule in words. A schema has one of them, and a minimum a maximum.
_RULES: dict[str, Callable[[JsonObject], str]] = {
    "const": lambda described: f"`{described['const']}`",
    "enum": lambda described: "one of " + ", ".join(f"`{each}`" for each in described["enum"]),
    "maximum": lambda described: f"{described['minimum']} to {_number(described['maximum'])}",
    "pattern": lambda described: f"`{described['pattern'].strip('^$')}`",
    "maxLength": lambda described: f"at most {described['maxLength']} characters",
    "maxItems": lambda described: f"at most {described['maxItems']} entries",
    "anyOf": _rules_of_choices,
    "propertyNames": _rule_of_keys,
}


def _number(value: int) -> str:
    """A limit in digits, or as a power of ten."""
    digits = str(value)
    if value >= 10**6 and digits.strip("0") == "1":
        return f"10{str(len(digits) - 1).translate(_SUPERSCRIPTS)}"
    return f"{value:,}"


def _sentence(text: str) -> str:
    return text.removesuffix(".")


def _filled(text: str) -> str:
    return textwrap.fill(text, _PROSE_WIDTH, break_long_words=False, break_on_hyphens=False)


def _json(value: JsonObject) -> str:
    return f"```json\n{pretty(value, _JSON_WIDTH)}\n```"


if __name__ == "__main__":
    print(reference(find_template().parent), end="")
