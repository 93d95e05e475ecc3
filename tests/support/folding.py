"""Folds the writes of one record into a fact, and compares each step with the oracle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rollcall.domain.errors import RefusedChange
from rollcall.domain.facts import Fact, resolve
from rollcall.domain.ids import IntegerId
from rollcall.storage import keys
from rollcall.storage.fact_items import fact_of_item, item_of_fact
from tests.support.merging_oracle import OneRecord, write_of
from tests.support.parsing import parsed
from tests.support.raw_items import facts_of

NOW_US = 1_800_000_000_000_000


def shown(fact: Fact | None) -> Any:
    """A fact as it is stored, without its revision and its places, which depend on the order."""
    assert fact is not None
    item = item_of_fact(keys.fact("org", fact.type, fact.id, 1), fact)
    return {
        name: item[name] for name in item.keys() - {"rev", "time_ms", "left_behind", "moved_rev"}
    }


def folded(documents: Sequence[Any]) -> tuple[Fact | None, list[Any]]:
    """The fact after writes in an order, each compared with the oracle, and those not rejected."""
    stored: Fact | None = None
    record, taken = OneRecord(), []
    for index, document in enumerate(documents):
        expected = record.write(write_of(document))
        try:
            verdict = resolve(stored, parsed(document), NOW_US + index)
        except RefusedChange as refused:
            outcome = f"rejected: {refused.field}"
        else:
            outcome = verdict.outcome.value
            stored = verdict.fact or stored
        assert outcome == expected
        if outcome.startswith("rejected"):
            continue
        taken.append(document)
        assert stored is not None
        assert stored.updated_at_ms == record.updated_at
        assert isinstance(stored.id, IntegerId) == record.came_as_integer
        item = item_of_fact(keys.fact("org", stored.type, stored.id, 1), stored)
        [(_, content)] = facts_of([item]).values()
        assert content == record.content
        assert fact_of_item(item) == stored
    return stored, taken


def in_two_orders(documents: Sequence[Any], others: Sequence[Any]) -> None:
    """Two orders of the same writes end in the same fact, if none of them is rejected in either."""
    fact, taken = folded(documents)
    again, taken_again = folded(others)
    if len(taken) == len(documents) == len(taken_again) > 0:
        assert shown(fact) == shown(again)
