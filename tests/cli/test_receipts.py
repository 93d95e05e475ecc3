"""Receipts say what remains, and the last sweep waits for as long as any process can still write."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from rollcall.domain.organisations import Organisation
from rollcall.domain.time.calendar import format_instant
from rollcall.maintenance.delete_organisation import MAX_WRITE_SECONDS, Deletion
from rollcall.maintenance.erase import Erasure, FailedObjects
from rollcall_cli import erase_command, organisations

ROOT = Path(__file__).parents[2]
AT_MS = 1_795_230_000_000
ACME = Organisation("org_1", "acme", "Acme", 0)


def erasure(**fields: Any) -> Erasure:
    defaults: dict[str, Any] = {
        "organisation": ACME,
        "lead_id": "l\x1b1",
        "at_ms": AT_MS,
        "facts": {"lead": 1, "call": 1_234},
        "rows": {0: 1_235, 1: 1_235},
        "is_known": True,
        "damaged": 0,
        "left_epochs": (),
        "failed_objects": FailedObjects(),
    }
    return Erasure(**defaults | fields)


def remains(document: dict[str, Any], word: str) -> list[dict[str, Any]]:
    return [entry for entry in document["remains"] if word in entry["what"]]


def test_the_wait_outlasts_a_kept_authorization_and_the_longest_function() -> None:
    template = (ROOT / "template.yaml").read_text("utf-8")
    timeouts = [int(text) for text in re.findall(r"^ +Timeout: (\d+)$", template, re.MULTILINE)]
    caches = [int(text) for text in re.findall(r"ReauthorizeEvery: (\d+)", template)]
    assert len(timeouts) > 5
    assert max(timeouts) + max(caches) <= MAX_WRITE_SECONDS


def test_a_receipt_of_an_erasure() -> None:
    document = erase_command._document(erasure())
    assert document["facts"] == {"lead": 1, "call": 1_234}
    assert document["rows"] == {"0": 1_235, "1": 1_235}
    assert (document["verified"], document["known"]) == (True, True)
    assert document["erased_at"] == format_instant(AT_MS)
    [tombstones] = remains(document, "tombstones")
    assert (tombstones["count"], tombstones["until"]) == (1_235, None)
    [stream] = remains(document, "stream")
    assert stream["until"] == format_instant(AT_MS + 24 * 3_600_000)
    [backups] = remains(document, "point-in-time")
    assert backups["until"] == format_instant(AT_MS + 35 * 24 * 3_600_000)
    assert remains(document, "failure destination") == []
    json.dumps(document)


def test_a_receipt_for_people_cannot_steer_their_terminal() -> None:
    text = "\n".join(erase_command._lines(erasure()))
    assert "\x1b" not in text
    assert "1,234 call" in text
    assert "verified" in text


def test_what_is_left_elsewhere_is_named() -> None:
    found = erasure(
        damaged=2,
        left_epochs=(0, 3),
        failed_objects=FailedObjects(names=("quarantine/1.json", "b")),
    )
    document = erase_command._document(found)
    assert document["verified"] is False
    assert remains(document, "unreadable")[0]["count"] == 2
    assert remains(document, "epochs")[0]["names"] == ["epoch 0", "epoch 3"]
    [objects] = remains(document, "failure destination")
    assert objects["names"] == ["quarantine/1.json", "b"]
    text = "\n".join(erase_command._lines(found))
    assert "verified" not in text
    assert "quarantine/1.json" in text


@pytest.mark.parametrize("was_known", [True, False])
def test_deleted_calls_that_name_no_lead_are_named(was_known: bool) -> None:
    found = erasure(is_known=was_known, unnamed=("c1", "c\x1b2"))
    [unnamed] = remains(erase_command._document(found), "name no lead")
    assert (unnamed["count"], unnamed["names"]) == (2, ["c1", "c\x1b2"])
    text = "\n".join(erase_command._lines(found))
    assert "c1" in text
    assert "\x1b" not in text


def test_a_destination_that_was_not_looked_at_is_named() -> None:
    document = erase_command._document(erasure(failed_objects=FailedObjects(problem="not set")))
    assert "not set" in remains(document, "failure destination")[0]["what"]


@pytest.mark.parametrize("was_known", [True, False])
def test_nothing_was_left(was_known: bool) -> None:
    nothing = erasure(facts={"lead": 0, "call": 0}, rows={0: 0}, is_known=was_known)
    text = "\n".join(erase_command._lines(nothing))
    assert ("had been erased before" in text) is was_known
    assert ("is unknown" in text) is not was_known
    assert bool(erase_command._document(nothing)["remains"]) is was_known


def test_tombstones_of_earlier_erasures_are_not_said_to_be_none() -> None:
    again = erasure(facts={"lead": 0, "call": 0}, rows={0: 0})
    [tombstones] = remains(erase_command._document(again), "tombstones")
    assert "count" not in tombstones


def test_failed_objects_are_named_for_a_lead_without_facts() -> None:
    unknown = erasure(
        facts={"lead": 0, "call": 0},
        is_known=False,
        failed_objects=FailedObjects(names=("a\x1b",)),
    )
    [objects] = erase_command._document(unknown)["remains"]
    assert objects["names"] == ["a\x1b"]
    text = "\n".join(erase_command._lines(unknown))
    assert "is unknown" in text
    assert "a\\u001b" in text


@pytest.mark.parametrize("named", [ACME, Organisation("org_1", "", "", 0, is_deleting=True)])
def test_a_receipt_of_a_deletion(named: Organisation) -> None:
    deletion = Deletion(ACME, AT_MS, {"facts": 3, "pages and rollups": 4}, FailedObjects())
    document = organisations._deletion_document(named, deletion)
    assert document["organisation"] == {"handle": named.handle or None, "id": "org_1"}
    assert document["removed"] == {"facts": 3, "pages_and_rollups": 4}
    assert remains(document, "a tombstone")[0]["until"] is None
    assert remains(document, "stream")
    text = "\n".join(organisations._deletion_lines(named, deletion))
    assert "org_1" in text
    assert "4 pages and rollups" in text
