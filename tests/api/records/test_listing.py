"""Which faults an answer lists: all of them, or as many as Lambda delivers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.api import strict_json
from rollcall.api.http import json_response
from rollcall.api.ingest import MAX_BODY_BYTES, parse_documents
from rollcall.api.records.documents import parse_record
from rollcall.api.records.faults import RefusedRecord
from rollcall.dialects.rollcall.records import verdicts_body
from rollcall.ingest.ingest import Receipt

LEFT_OUT = re.compile(r"; (\d+) more faults? of this record not listed$")


def unknown(count: int, length: int, letters: str = "k") -> dict[str, int]:
    """So many unknown fields, whose names have so many characters."""
    return {f"{number} {letters * length}"[:length]: 1 for number in range(count)}


def filled(record: dict[str, Any], fields: dict[str, Any], size: int) -> dict[str, Any]:
    """The record with as many of the fields as fit its size in JSON."""
    room = size - len(json.dumps(record, ensure_ascii=False).encode())
    for name, value in fields.items():
        room -= len(json.dumps({name: value}, ensure_ascii=False).encode())
        if room < 0:
            break
        record[name] = value
    return record


def call(id: Any, **fields: Any) -> dict[str, Any]:
    return {"type": "call", "id": id, **fields}


HOSTILE: dict[str, Callable[[], list[Any]]] = {
    "one record of unknown fields": lambda: [filled(call("x"), unknown(60_000, 6), MAX_BODY_BYTES)],
    "500 records of unknown fields": lambda: [
        filled(call("x"), unknown(99, 30, f"{number}x"), 4_100) for number in range(500)
    ],
    "an id of quotes": lambda: [filled(call('"' * 1_000_000), unknown(1_000, 9), MAX_BODY_BYTES)],
    "500 ids of quotes": lambda: [call('"' * 2_000, status=1, cost="", a=1) for _ in range(500)],
    "names of quotes": lambda: [filled(call(""), unknown(99, 125, '"'), 4_100) for _ in range(500)],
    "names of control characters": lambda: [
        filled(call(""), unknown(99, 128, "\x01"), 4_100) for _ in range(500)
    ],
    "labels": lambda: [call(1, labels=[None] * 60_000)],
    "a payload": lambda: [call(1, payload={key: [] for key in unknown(40_000, 7)})],
    "events": lambda: [call(1, events=unknown(40_000, 7))],
}


def listed(documents: list[Any]) -> list[dict[str, Any]]:
    """The `rejected` of the answer, which can be delivered."""
    changes, refusals = parse_documents(documents)
    receipt = Receipt(accepted=len(changes))
    response = json_response(*verdicts_body(documents, refusals, receipt)).deliverable()
    entries: list[dict[str, Any]] = strict_json.loads(response.body.encode())["rejected"]
    return entries


def counted(entries: list[dict[str, Any]]) -> dict[int, int]:
    """How many faults each record has by the answer, listed or not."""
    faults: dict[int, int] = {}
    for entry in entries:
        more = LEFT_OUT.search(entry["message"])
        faults[entry["index"]] = faults.get(entry["index"], 0) + 1 + (int(more[1]) if more else 0)
    return faults


def faults_of(document: Any) -> int:
    try:
        parse_record(document)
    except RefusedRecord as refused:
        return len(refused.faults)
    return 0


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_the_answer_to_a_hostile_request_is_delivered_and_counts_every_fault(name: str) -> None:
    documents = HOSTILE[name]()
    body = json.dumps({"records": documents}, separators=(",", ":"), ensure_ascii=False)
    assert len(body.encode()) <= MAX_BODY_BYTES
    entries = listed(documents)
    assert counted(entries) == {n: faults_of(each) for n, each in enumerate(documents)}


@pytest.mark.slow
def test_what_has_no_room_is_left_out() -> None:
    entries = listed([call("x", **unknown(40_000, 6)), call("y", a=1, b=2)])
    listed_of_y = [entry for entry in entries if entry["index"] == 1]
    assert len(entries) < 40_000
    assert LEFT_OUT.search(listed_of_y[-1]["message"])


def test_an_ordinary_request_has_all_its_faults_listed() -> None:
    documents = [call(f"call-{number}", **unknown(20, 20)) for number in range(500)]
    entries = listed(documents)
    assert len(entries) == 500 * 22
    assert not any(LEFT_OUT.search(entry["message"]) for entry in entries)
    assert [entry["index"] for entry in entries] == sorted(n for n in range(500) for _ in range(22))


@pytest.mark.property
@given(
    st.lists(
        st.tuples(st.integers(0, 3_000), st.integers(0, 200), st.sampled_from('x"\x02é')),
        min_size=1,
        max_size=12,
    )
)
def test_every_refused_record_has_its_first_fault_listed(
    shapes: list[tuple[int, int, str]],
) -> None:
    documents = [
        {"type": "label", "id": letter * length or 7, "name": "x", **unknown(count, 12, letter)}
        for length, count, letter in shapes
    ]
    expected = {n: count for n, each in enumerate(documents) if (count := faults_of(each))}
    assert counted(listed(documents)) == expected
