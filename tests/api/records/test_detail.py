"""The detail of a call: what is stored of it, its faults, and that no log line has any of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError

from rollcall import bootstrap
from rollcall.api import strict_json
from rollcall.api.records.documents import parse_record
from rollcall.api.records.faults import RefusedRecord
from rollcall.domain.facts import Change, detail_hash
from tests.support.answering import Deployment, Lambda, deployed
from tests.support.builders import call
from tests.support.emf import logged
from tests.support.oracle import instant
from tests.support.parsing import parsed
from tests.support.stack import to_json

NOW_MS = instant("2026-11-21T12:00:00Z", "now")
CANARY = "the canary sings"


def change(**detail: Any) -> Change:
    return parsed(call("c", detail=detail))


def stored(**detail: Any) -> Any:
    text = change(**detail).detail
    return None if text is None else strict_json.loads(text.encode())


def faults(detail: Any) -> list[str]:
    with pytest.raises(RefusedRecord) as refused:
        parse_record(strict_json.loads(to_json(call("c", detail=detail)).encode()))
    return [f"{fault.field} {fault.message}" for fault in refused.value.faults]


# ------------------------------------------------------------------ what is stored


def test_a_detail_is_normalised() -> None:
    turn = {"at_seconds": Decimal("1.23450"), "text": "Hello", "role": "agent"}
    text = change(to_number="2", transcript=[turn], links=[], summary="").detail
    assert text == (
        '{"summary":"","transcript":[{"role":"agent","text":"Hello","at_seconds":1.235}],'
        '"to_number":"2"}'
    )


@pytest.mark.parametrize("detail", [{}, {"links": []}, {"transcript": [], "links": []}])
def test_an_empty_detail_is_none(detail: dict[str, Any]) -> None:
    assert stored(**detail) is None
    assert change(**detail) == parsed(call("c"))


def test_the_record_has_the_hash_of_its_detail() -> None:
    one, same, other = change(summary="a"), change(summary="a", links=[]), change(summary="b")
    assert one.detail is not None
    assert one.record.detail == detail_hash(one.detail)  # type: ignore[union-attr]
    assert one == same != other


def test_a_version_without_its_detail_is_one_that_came_without() -> None:
    assert change(summary="a").without_detail() == parsed(call("c"))
    bare = parsed(call("c"))
    assert bare.without_detail() is bare


def test_a_merge_without_its_detail_takes_the_stored_one_away() -> None:
    merge = {"type": "call", "id": "c", "merge": True, "outcome": "x"}
    dropped = parsed(merge | {"detail": {"summary": "a"}}).without_detail()
    assert dropped == parsed(merge | {"detail": None})


# ------------------------------------------------------------------ faults


def test_faults_name_the_part_and_the_entry() -> None:
    turns = [
        {"role": "agent", "text": "Hello"},
        {"role": 5, "txt": "x", "at_seconds": -1},
        "Hello",
    ]
    links = [{"name": "CRM", "url": "javascript:alert(1)"}]
    assert faults(
        {
            "sumary": "x",
            "transcript": turns,
            "summary": "x" * 4_001,
            "links": links,
            "recording_url": "http://recordings.example",
            "to_number": 5,
        }
    ) == [
        "detail.summary must have at most 4000 characters",
        "detail.transcript entry 1: role must be a string",
        "detail.transcript entry 1: text is required",
        "detail.transcript entry 1: at_seconds must be at least 0",
        "detail.transcript entry 1: txt is not a known field",
        "detail.transcript entry 2 must be an object",
        r"detail.recording_url must match https://[^\s/?#]\S*",
        r"detail.links entry 0: url must match https?://[^\s/?#]\S*",
        "detail.to_number must be a string",
        "detail.sumary is not a known field; did you mean detail.summary?",
    ]
    assert faults([]) == ["detail must be an object"]


def test_a_detail_has_65536_bytes_as_compact_json() -> None:
    empty = len('{"transcript":[{"role":"a","text":""}]}')
    for letter, size in (("x", 1), ("é", 2), ('"', 2)):
        text = letter * ((65_536 - empty) // size)
        assert stored(transcript=[{"role": "a", "text": text}]) is not None
        larger = {"transcript": [{"role": "a", "text": text + letter}], "summary": 5}
        assert faults(larger) == [
            "detail must have at most 65536 bytes as compact JSON",
            "detail.summary must be a string",
        ]


# ------------------------------------------------------------------ logs


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    with deployed(NOW_MS) as made:
        yield made


def refused(code: str) -> ClientError:
    reasons = [{"Code": "ConditionalCheckFailed", "Item": {"x": {"S": CANARY}}}, {"Code": "None"}]
    response = {
        "Error": {"Code": code, "Message": "refused"},
        "CancellationReasons": reasons,
        "ResponseMetadata": {"HTTPStatusCode": 400},
    }
    return ClientError(response, "TransactWriteItems")  # type: ignore[arg-type]


FAILURES = {
    "none": None,
    "conflict": refused("TransactionCanceledException"),
    "validation": refused("ValidationException"),
    "bug": KeyError("a bug"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_no_log_line_has_anything_of_a_detail(deployment: Deployment, failure: str) -> None:
    org_id, error = deployment.organisation([]), FAILURES[failure]
    detail = {
        "summary": CANARY,
        "transcript": [{"role": CANARY, "text": CANARY}],
        "recording_url": f"https://recordings.example/{CANARY.replace(' ', '-')}",
        "links": [{"name": CANARY, "url": "https://crm.example"}],
        "from_number": CANARY,
    }
    records = [call("good", detail=detail), call("bad", detail=detail | {CANARY: 1})]
    client = bootstrap.dynamodb()

    def write(**parameters: Any) -> Any:
        if error is not None:
            raise error
        return transact(**parameters)

    transact = client.transact_write_items
    hurried = patch.object(Lambda, "get_remaining_time_in_millis", lambda _: 9_200)
    failing = patch.object(client, "transact_write_items", write)
    with hurried, failing, logged() as lines:
        answer = deployment.ask("ingest_records", org_id, body={"records": records})
    assert answer.status == {"none": 207, "conflict": 503}.get(failure, 500), answer.text
    assert "canary" not in json.dumps(lines, default=str)
    if error is not None:
        assert lines
        assert "canary" not in answer.text
