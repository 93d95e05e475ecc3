"""Negative controls: the comparison with the oracle finds each fault that is planted in merging."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rollcall.domain import facts, merging
from rollcall.domain.facts import Change, Fact
from rollcall.domain.merging import NEVER, State, join
from tests.support.folding import in_two_orders

REAL_FACT = facts._fact


def own_keys_ignored(one: State, other: State) -> State:
    state = join(one, other)
    return State(state.base, dict.fromkeys(state.merged, state.greatest), state.values)


def merged_fields_kept(one: State, other: State) -> State:
    """A full document keeps what an older merge set."""
    state = join(one, other)
    kept = {name: s.values[name] for s in (one, other) for name in s.merged if name in s.values}
    return State(state.base, state.merged, {**state.values, **kept})


def last_document_wins(one: State, other: State) -> State:
    return join(one, other) if other.merged else other


def newer_merges_forgotten(stored: Fact | None, change: Change, *rest: Any) -> Fact:
    """A tombstone withholds nothing."""
    fact = REAL_FACT(stored, change, *rest)
    if fact.record is None:
        fact.merges = None
    return fact


def full(second: float, status: str = "completed", **fields: Any) -> dict[str, Any]:
    times = {"updated_at": f"2026-11-11T10:00:0{second}Z", "started_at": "2026-11-10T10:00:00Z"}
    return {"type": "call", "id": 5, **times, "status": status, **fields}


def merge(second: float, **fields: Any) -> dict[str, Any]:
    at = f"2026-11-11T10:00:0{second}Z"
    return {"type": "call", "id": 5, "updated_at": at, "merge": True, **fields}


GONE = {"type": "call", "id": 5, "updated_at": "2026-11-11T10:00:03Z", "deleted": True}

# What is replaced, by what, and writes whose outcome then differs from that of the oracle.
FAULTS: dict[str, tuple[Any, str, Callable[..., Any], list[Any]]] = {
    "the own key of a field is ignored": (
        facts,
        "join",
        own_keys_ignored,
        [full(0), merge(1, outcome="x"), merge(3, language="de"), merge(2, outcome="y")],
    ),
    "a full document keeps a merged field": (
        facts,
        "join",
        merged_fields_kept,
        [full(0), merge(1, outcome="x"), full(2)],
    ),
    "the last document to arrive wins": (facts, "join", last_document_wins, [full(1), full(0)]),
    "the status is ignored in a tie": (
        facts,
        "_progress",
        lambda *_: NEVER.progress,
        # With one of these, the hash would decide as the status does.
        [full(n, s, outcome=f"{n}") for n in range(9) for s in ("ringing", "completed")],
    ),
    "the content is ignored in a tie": (
        facts,
        "_hash",
        lambda _: bytes(32),
        [full(1, outcome="x"), full(1, outcome="y")],
    ),
    "the form is ignored in a tie": (
        merging,
        "_form",
        lambda _: (),
        [full(1, lead_id="7"), full(1, lead_id=7)],
    ),
    "a tombstone forgets newer merges": (
        facts,
        "_fact",
        newer_merges_forgotten,
        [full(0), merge(5, outcome="x"), GONE, full(4)],
    ),
    "rules across fields are not checked": (
        facts,
        "_check_needs",
        lambda *_: None,
        [full(0), merge(1, campaign_id="c")],
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    module, name, faulty, documents = FAULTS[fault]
    in_two_orders(documents, documents[::-1])
    monkeypatch.setattr(module, name, faulty)
    with pytest.raises(AssertionError):
        in_two_orders(documents, documents[::-1])
