"""The operations that write records and read one back."""

from __future__ import annotations

from typing import Annotated, Any, Union

from pydantic import Field
from typing_extensions import TypeAliasType, TypedDict

from rollcall.api.ingest import MAX_BODY_BYTES, MAX_RECORDS
from rollcall.api.records.documents import DOCUMENTS, Deletion, merge_model
from rollcall.api.strict_json import MAX_DEPTH
from rollcall.dialects.rollcall.documents import RecordFound
from rollcall.dialects.rollcall.problem import PROBLEM_TYPE, Problem
from rollcall.dialects.rollcall.records import Verdicts
from rollcall.domain.records import RECORD_TYPES
from rollcall_cli.openapi.operation import UNAVAILABLE, Answer, Operation, Parameter, path_id
from rollcall_cli.openapi.schemas import name_of, reference

TAG = "Records"
ABOUT = "Write calls, tasks, leads, and what they refer to, and read each back."

_MERGES = {f"{name} merge": merge_model(name) for name in RECORD_TYPES}
_DOCUMENTS: Any = Union[(*DOCUMENTS.values(), *_MERGES.values(), Deletion)]
Record = TypeAliasType("Record", _DOCUMENTS)


class Records(TypedDict):
    """The body of a request that writes records."""

    records: Annotated[list[Record], Field(min_length=1, max_length=MAX_RECORDS)]


_INGEST = Operation(
    tag=TAG,
    summary="Write records",
    description=f"""1 to {MAX_RECORDS} records in at most {MAX_BODY_BYTES:,} bytes.

Each record is a full document: it replaces the one with the same type and id. With `"merge": true` it
sets only the fields that it names. Sending it again changes nothing. Records are accepted or rejected
one by one: accepted ones are durable before the answer is sent, and it names all faults of the
rejected ones. Figures follow within seconds.

Bodies are strict JSON: UTF-8, no repeated keys, no NaN, at most {MAX_DEPTH} levels deep. A record with an
unknown field is rejected. An optional field may be omitted; null is a value, which only
`display_name`, the values of a payload and the fields of a merge may have. 1.0 is not an integer.""",
    body=Records,
    answers={
        200: Answer("Every record was accepted.", Verdicts),
        207: Answer("Some records were rejected; the others are stored.", Verdicts),
        400: Answer("The body as a whole is malformed; nothing was stored.", Problem, PROBLEM_TYPE),
        422: Answer("Every record was rejected.", Verdicts),
        500: Answer("Internal error; send the request again.", Problem, PROBLEM_TYPE),
        503: Answer(
            f"{UNAVAILABLE} Some records may be stored; it is safe to send all of them again.",
            Problem,
            PROBLEM_TYPE,
        ),
    },
)


class CallFound(RecordFound):
    """A stored call."""


_READ = """`record` is what `POST /v1/records` takes: sent again, it is `unchanged`. Its values are as \
stored: rounded, in UTC, with defaults filled in. Fields without a value, empty lists and empty objects \
are left out. A call has its `detail`.

`counted` is false until the figures hold this version, which takes seconds after a write."""
_REFUSALS = {
    400: Answer(
        "The request has a query string, and this route takes none.", Problem, PROBLEM_TYPE
    ),
    404: Answer(
        "The record is unknown, deleted, or another organisation's: the answer is the same.",
        Problem,
        PROBLEM_TYPE,
    ),
    500: Answer("Internal error; `detail` has the request's id.", Problem, PROBLEM_TYPE),
    503: Answer(UNAVAILABLE, Problem, PROBLEM_TYPE),
}

_CALL = Operation(
    tag=TAG,
    summary="Read one call",
    description=_READ,
    parameters=(path_id("id", "The call's id."),),
    answers={200: Answer("The call.", CallFound), **_REFUSALS},
    is_metered=True,
)

_RECORD = Operation(
    tag=TAG,
    summary="Read one record of any type",
    description=_READ,
    parameters=(
        Parameter(
            "type",
            "path",
            "The record's type; another one is answered 404.",
            schema={"type": "string", "examples": list(RECORD_TYPES)},
        ),
        path_id("id", "The record's id."),
    ),
    answers={200: Answer("The record.", RecordFound), **_REFUSALS},
    is_metered=True,
)


OPERATIONS = {"ingest_records": _INGEST, "get_call": _CALL, "get_record": _RECORD}


def refine(schemas: dict[str, Any]) -> None:
    """Make the choice between documents exclusive, and describe a record that is read by them."""
    refine_documents(schemas)
    found = schemas[name_of(TAG, RecordFound)]["properties"]
    documents = {name: reference(TAG, model) for name, model in DOCUMENTS.items()}
    described = {"description": found["record"]["description"]}
    found["record"] = described | {"oneOf": [*documents.values()]}
    schemas[name_of(TAG, CallFound)]["properties"] = found | {
        "record": described | documents["call"]
    }


def refine_documents(schemas: dict[str, Any]) -> None:
    """Add the name of its type to each document, and make the choice between them exclusive."""
    for name, model in {**DOCUMENTS, **_MERGES, "deletion": Deletion}.items():
        schemas[name_of(TAG, model)]["title"] = name
    # No record matches two: each has another `type`, only a merge has `merge`, a deletion `deleted`.
    record = schemas[name_of(TAG, Record)]
    record["oneOf"] = record.pop("anyOf")
