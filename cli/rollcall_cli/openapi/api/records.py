"""The operation that writes records."""

from __future__ import annotations

from typing import Annotated, Any, Union

from pydantic import Field
from typing_extensions import TypeAliasType, TypedDict

from rollcall.api.ingest import MAX_BODY_BYTES, MAX_RECORDS
from rollcall.api.records.documents import DOCUMENTS, Deletion
from rollcall.api.strict_json import MAX_DEPTH
from rollcall.dialects.rollcall.problem import PROBLEM_TYPE, Problem
from rollcall.dialects.rollcall.records import Verdicts
from rollcall_cli.openapi.operation import Answer, Operation
from rollcall_cli.openapi.schemas import name_of

TAG = "Records"
ABOUT = "Write calls, tasks, leads, and what they refer to."

_DOCUMENTS: Any = Union[(*DOCUMENTS.values(), Deletion)]
Record = TypeAliasType("Record", _DOCUMENTS)


class Records(TypedDict):
    """The body of a request that writes records."""

    records: Annotated[list[Record], Field(min_length=1, max_length=MAX_RECORDS)]


_INGEST = Operation(
    tag=TAG,
    summary="Write records",
    description=f"""1 to {MAX_RECORDS} records in at most {MAX_BODY_BYTES:,} bytes.

Each record is a full document: it replaces the one with the same type and id. Sending it again
changes nothing. Records are accepted or rejected one by one: accepted ones are durable before the
answer is sent, and it names the rejected ones. Figures follow within seconds.

Bodies are strict JSON: UTF-8, no repeated keys, no NaN, at most {MAX_DEPTH} levels deep. A record with an
unknown field is rejected. An optional field may be omitted; null is a value, which only
`display_name` and the values of a payload may have. 1.0 is not an integer.""",
    body=Records,
    answers={
        200: Answer("Every record was accepted.", Verdicts),
        207: Answer("Some records were rejected; the others are stored.", Verdicts),
        400: Answer("The body as a whole is malformed; nothing was stored.", Problem, PROBLEM_TYPE),
        422: Answer("Every record was rejected.", Verdicts),
        500: Answer("Internal error; send the request again.", Problem, PROBLEM_TYPE),
    },
)

OPERATIONS = {"ingest_records": _INGEST}


def refine(schemas: dict[str, Any]) -> None:
    """Add the name of its type to each document, and make the choice between them exclusive."""
    for name, model in {**DOCUMENTS, "deletion": Deletion}.items():
        schemas[name_of(TAG, model)]["title"] = name
    # No record matches two of them: each has another `type`, and only a deletion has `deleted`.
    record = schemas[name_of(TAG, Record)]
    record["oneOf"] = record.pop("anyOf")
