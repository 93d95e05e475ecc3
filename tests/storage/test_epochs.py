"""What an epoch holds: nothing of another epoch or organisation counts."""

from __future__ import annotations

from rollcall.domain.epochs import Epoch
from rollcall.storage.epochs import EpochContents
from tests.support.builders import call, deletion, lead
from tests.support.erasing import ANALYTICS, BACKOFF, Deployment


def test_rows_are_counted_by_organisation_and_epoch() -> None:
    at = Deployment(target_bytes=300)
    at.store.limits.answer_bytes = 1
    organisation, other = at.organisation(), at.organisation("other")
    contents = EpochContents(at.client, ANALYTICS, BACKOFF)
    assert contents.is_empty(organisation.id, 0)
    assert contents.rows(Epoch(organisation.id, 0)) == 0
    at.put(other, call("1"))
    at.drain()
    assert contents.is_empty(organisation.id, 0)
    at.write_epochs(organisation, 0, 1)
    at.put(organisation, *(call(f"{n}") for n in range(30)), lead("7"))
    at.drain()
    at.put(organisation, deletion("call", "3"))
    at.drain()
    # A tombstone is a row too.
    assert [contents.rows(Epoch(organisation.id, epoch)) for epoch in (0, 1, 2)] == [31, 31, 0]
    assert [contents.is_empty(organisation.id, epoch) for epoch in (0, 1, 2)] == [
        False,
        False,
        True,
    ]
    list(at.purge.remove_epoch(organisation.id, 0))
    assert contents.is_empty(organisation.id, 0)
    assert (contents.rows(Epoch(organisation.id, 0)), contents.rows(Epoch(other.id, 0))) == (0, 1)
