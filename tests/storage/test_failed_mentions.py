"""The objects that may hold records of an organisation or a lead: none is missed, few are named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rollcall.domain.errors import BrokenDestination
from rollcall.storage.failed_mentions import mentions
from rollcall.storage.failures import FolderFailures
from tests.support.builders import call, lead
from tests.support.failures import MemoryFailures, fact_record, given_up, poison
from tests.support.versions import versions_of

LEAD = "lead~#é 1"


def record(number: int, org_id: str, document: dict[str, Any]) -> dict[str, Any]:
    (fact,) = versions_of([document])
    return fact_record(number, org_id, fact)


def holding(**records: list[Any]) -> MemoryFailures:
    """A destination with a batch per name."""
    return MemoryFailures(objects={name: given_up(each) for name, each in records.items()})


def test_the_records_of_a_lead_and_of_its_calls_are_found_and_of_no_one_else() -> None:
    failures = holding(
        lead=[record(1, "org", lead(LEAD))],
        call=[record(2, "org", call("1", lead_id=LEAD))],
        second=[record(3, "org", call("2")), record(4, "org", call("1", lead_id=LEAD))],
        other_lead=[record(5, "org", lead("another"))],
        other_organisation=[record(6, "org_2", lead(LEAD))],
        earlier=[record(7, "org", call("3", outcome="before it had a lead"))],
    )
    assert set(mentions(failures, "org", LEAD, ())) == {"lead", "call", "second"}
    assert set(mentions(failures, "org", LEAD, ["3"])) == {"lead", "call", "second", "earlier"}
    assert set(mentions(failures, "org", None, ())) == failures.objects.keys() - {
        "other_organisation"
    }
    assert set(mentions(failures, "org_3", None, ())) == set()


def test_what_cannot_be_ruled_out_is_named() -> None:
    failures = MemoryFailures(
        objects={
            "broken": b"{",
            "neither": b"{}",
            "without a key": json.dumps({"record": {"x": [{"S": LEAD}]}}).encode(),
            "without the lead": json.dumps({"record": {"x": 1}}).encode(),
        }
    )
    assert set(mentions(failures, "org", LEAD, ())) == {"broken", "neither", "without a key"}
    assert set(mentions(failures, "org", None, ())) == failures.objects.keys()


def test_an_object_that_is_removed_meanwhile_is_not_named() -> None:
    failures = holding(one=[poison(1, "org")])
    failures.around = lambda operation, act: None if operation == "read" else act()
    assert list(mentions(failures, "org", None, ())) == []


def test_a_destination_that_fails_is_an_error() -> None:
    def broken(_operation: str, _act: Any) -> Any:
        raise BrokenDestination("gone")

    with pytest.raises(BrokenDestination, match="gone"):
        list(mentions(MemoryFailures(around=broken), "org", None, ()))


def test_an_object_that_is_nested_deeply_is_looked_into(tmp_path: Path) -> None:
    nested: Any = LEAD
    for _ in range(800):
        nested = [nested]
    (tmp_path / "deep").write_text(json.dumps({"record": {"a": nested}}))
    assert list(mentions(FolderFailures(tmp_path), "org_1", LEAD, ())) == ["deep"]
    assert list(mentions(FolderFailures(tmp_path), "org_1", "another", ())) == []


def test_a_delivery_to_a_hook_may_be_of_any_lead_of_its_organisation() -> None:
    failures = MemoryFailures()
    delivery = {"org_id": "org_1", "hook": "0" * 32, "body": "", "query": {}}
    failures.objects["hooks/a.json"] = json.dumps({"reason": "r", "delivery": delivery})
    assert list(mentions(failures, "org_1", LEAD, ())) == ["hooks/a.json"]
    assert list(mentions(failures, "org_1", None, ())) == ["hooks/a.json"]
    assert list(mentions(failures, "org_2", None, ())) == []
