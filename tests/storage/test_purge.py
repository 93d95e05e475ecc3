"""Removals: all of one kind, of one organisation, however many batches and answers they take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rollcall.domain.epochs import MAX_BUCKETS
from rollcall.domain.errors import Unavailable
from rollcall.domain.organisations import Organisation, Token
from rollcall.storage import keys
from tests.support.builders import call, lead
from tests.support.erasing import ANALYTICS, RECORDS, Deployment


def filled(handles: tuple[str, ...] = ("acme", "other")) -> tuple[Deployment, list[Organisation]]:
    at = Deployment(target_bytes=300)
    organisations = [at.organisation(handle, buckets=3) for handle in handles]
    for number, organisation in enumerate(organisations):
        at.put(organisation, *(call(f"{n}") for n in range(40)), lead("7"))
        for n in range(3):
            at.directory.put_token(Token(f"{number}{n}".zfill(64), organisation.id, ("read",), 0))
    at.drain()
    return at, organisations


def left(at: Deployment, organisation: Organisation) -> dict[str, int]:
    """The number of items of an organisation, by kind."""
    prefix = keys.org_prefix(organisation.id)
    records = [dict(item) for item in at.items(RECORDS)]
    return {
        "facts": sum(
            item["PK"]["S"].startswith(prefix) and item["SK"]["S"].startswith("FACT#")
            for item in records
        ),
        "tokens": sum(
            item.get("GSI1PK", {}).get("S") == keys.tokens_of(organisation.id) for item in records
        ),
        "organisation": sum(
            item["PK"]["S"] == prefix and item["SK"]["S"] == "ORG" for item in records
        ),
        "analytics": sum(item["PK"]["S"].startswith(prefix) for item in at.items(ANALYTICS)),
    }


@pytest.mark.parametrize("answer_bytes", [1, 1024 * 1024])
@pytest.mark.parametrize(
    ("kind", "remove"),
    [
        ("facts", lambda at, org_id: at.purge.remove_facts(org_id, MAX_BUCKETS)),
        ("tokens", lambda at, org_id: at.purge.remove_tokens(org_id)),
        ("analytics", lambda at, org_id: at.purge.remove_epoch(org_id, 0)),
    ],
)
def test_one_kind_of_one_organisation_is_removed(kind: str, remove: Any, answer_bytes: int) -> None:
    at, (organisation, other) = filled()
    at.store.limits.answer_bytes = answer_bytes
    before, of_other = left(at, organisation), left(at, other)
    removed = sum(remove(at, organisation.id))
    assert left(at, organisation) == {**before, kind: 0}
    assert removed == before[kind] > 0
    assert left(at, other) == of_other
    assert sum(remove(at, organisation.id)) == 0


def test_notes_are_removed_and_the_organisation_is_kept() -> None:
    at, (organisation,) = filled(("acme",))
    before = left(at, organisation)
    for key in (keys.audit(organisation.id), keys.audit_run(organisation.id)):
        at.store.answer("PutItem", {"TableName": RECORDS, "Item": key.attributes()})
    assert sum(at.purge.remove_notes(organisation.id)) == 2
    assert left(at, organisation) == before


def test_single_keys_are_removed() -> None:
    at, (organisation,) = filled(("acme",))
    wanted = [keys.fact(organisation.id, "call", f"{n}", 3) for n in range(30)]
    assert at.purge.remove(organisation.id, wanted) == 30
    assert left(at, organisation)["facts"] == 41 - 30


def test_deletes_that_stay_unprocessed_are_an_error() -> None:
    at, (organisation,) = filled(("acme",))

    def around(operation: str, send: Any) -> dict[str, Any]:
        if operation != "BatchWriteItem":
            return send()
        key = keys.organisation(organisation.id).attributes()
        return {"UnprocessedItems": {RECORDS: [{"DeleteRequest": {"Key": key}}]}}

    at.client.around = around
    batches: Iterator[int] = at.purge.remove_facts(organisation.id, 3)
    with pytest.raises(Unavailable, match="unprocessed deletes"):
        list(batches)


def test_deletes_that_are_left_once_are_made_again() -> None:
    at, (organisation,) = filled(("acme",))
    refused: list[Any] = []

    def around(operation: str, send: Any) -> dict[str, Any]:
        if operation == "BatchWriteItem" and not refused:
            refused.append(send)
            key = keys.fact(organisation.id, "lead", "7", 3).attributes()
            return {"UnprocessedItems": {RECORDS: [{"DeleteRequest": {"Key": key}}]}}
        return send()

    at.client.around = around
    wanted = [keys.fact(organisation.id, "lead", "7", 3)]
    assert at.purge.remove(organisation.id, wanted) == 1
    assert left(at, organisation)["facts"] == 40
