"""What must hold of the calls that hooks report: no delivery that was answered 200 is ever lost."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

from tests.simulation.providers import Delivery
from tests.simulation.stored import FactName, StoredFact
from tests.support.hook_oracle import Said, document_of
from tests.support.merging_oracle import content_of, write_of

_Kept = set[tuple[str, bytes]]


class HookChecker:
    """Compares the facts of calls with what the deliveries say, by the oracle.

    Each is the call of all deliveries that were acknowledged and not kept, and perhaps of some others.
    """

    def __init__(self) -> None:
        self._found: dict[Any, bool] = {}
        self._documents: dict[Any, Any] = {}

    def faults(
        self,
        deliveries: Sequence[Delivery],
        facts: Mapping[FactName, StoredFact],
        objects: Mapping[str, bytes],
    ) -> Iterable[tuple[Any, ...]]:
        """What is wrong, in words."""
        kept = _kept(objects)
        calls: defaultdict[FactName, list[Delivery]] = defaultdict(list)
        for delivery in deliveries:
            calls[delivery.call].append(delivery)
            is_kept = (delivery.hook.key, delivery.body) in kept
            if delivery.said is None and delivery.is_acknowledged and not is_kept:
                yield "acknowledged and not kept", delivery.call
        for name, of_call in calls.items():
            mapped = [delivery for delivery in of_call if delivery.said is not None]
            if not self._is_call(name, mapped, facts.get(name), kept):
                yield "not the call of its deliveries", name, facts.get(name), *map(_shown, mapped)

    @staticmethod
    def left(deliveries: Sequence[Delivery], objects: Mapping[str, bytes]) -> list[FactName]:
        """The calls of which a delivery is still kept although a replay can record it."""
        kept = _kept(objects)
        return [d.call for d in deliveries if d.said and (d.hook.key, d.body) in kept]

    def _is_call(
        self, name: FactName, deliveries: list[Delivery], fact: StoredFact | None, kept: _Kept
    ) -> bool:
        """Whether a fact, or that there is none, follows from the deliveries of its call."""
        attempted = {d.said for d in deliveries if d.said is not None}
        recorded = {d.said for d in deliveries if d.said and d.is_acknowledged and not d.was_kept}
        # What is kept and was replayed may be in the state with the time of another repetition.
        bodies = {
            d.said.digest
            for d in deliveries
            if d.said and d.is_acknowledged and d.was_kept and (d.hook.key, d.body) not in kept
        } - {said.digest for said in recorded}
        stored = None if fact is None else (fact.rev, fact.updated_at)
        asked = name, stored, frozenset(attempted), frozenset(recorded), frozenset(bodies)
        if asked not in self._found:
            self._found[asked] = self._is_fold(name, fact, recorded, attempted - recorded, bodies)
        return self._found[asked]

    def _is_fold(
        self,
        name: FactName,
        fact: StoredFact | None,
        recorded: set[Said],
        open_: set[Said],
        bodies: set[str],
    ) -> bool:
        ordered = sorted(open_, key=lambda said: said.key)
        for count in range(len(ordered), -1, -1):
            for some in combinations(ordered, count):
                said = frozenset({*recorded, *some})
                if bodies <= {each.digest for each in said}:
                    expected = self._expected(name, said)
                    found = None if fact is None else (fact.updated_at, fact.content)
                    if expected == found:
                        return True
        return False

    def _expected(self, name: FactName, said: frozenset[Said]) -> tuple[int, Any] | None:
        asked = name, said
        if asked not in self._documents:
            document = document_of(name.id, said) if said else None
            write = write_of(document) if document else None
            self._documents[asked] = write and (write.key[0], content_of([write]))
        found: tuple[int, Any] | None = self._documents[asked]
        return found


def _kept(objects: Mapping[str, bytes]) -> _Kept:
    """The hook and the body of each delivery that is kept."""
    kept = set()
    for name, text in objects.items():
        if name.startswith("hooks/"):
            delivery = json.loads(text)["delivery"]
            kept.add((delivery["hook"], base64.b64decode(delivery["body"])))
    return kept


def _shown(delivery: Delivery) -> str:
    said = delivery.said
    assert said is not None
    state = "recorded" if delivery.is_acknowledged else "not answered"
    if delivery.was_kept:
        state += ", kept"
    return f"({said.rank} {said.time_ms} {said.digest[:8]} {state})"
