"""Writes records as facts: each record succeeds or fails alone, and is durable before the answer."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, wait
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from rollcall.domain.errors import CorruptItem, RefusedChange, UnknownOrganisation
from rollcall.domain.facts import MAX_CLOCK_SKEW_MS, TOO_NEW, Change, Outcome
from rollcall.ingest.ports import Directory, Facts

_Versions: TypeAlias = tuple[tuple[str, str], list[tuple[int, Change]]]

_DAMAGED: Final = "the stored record with this id is damaged; an operator must repair it"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One fault of a refused record: the field, and the rule it broke."""

    index: int
    field: str
    message: str


_Written: TypeAlias = Outcome | Refusal


@dataclass(slots=True)
class Receipt:
    """The outcome of every record of one request; a record may have several refusals."""

    accepted: int = 0
    unchanged: int = 0
    stale: int = 0
    refusals: list[Refusal] = field(default_factory=list)


class Ingest:
    """Writes changes as facts, with bounded concurrency.

    Unless `keeps_detail`, the details of calls are dropped: each is as if it had come empty.
    """

    def __init__(
        self,
        directory: Directory,
        facts: Facts,
        executor: Executor,
        now_us: Callable[[], int],
        *,
        keeps_detail: bool = True,
    ) -> None:
        self._directory = directory
        self._facts = facts
        self._executor = executor
        self._now_us = now_us
        self._keeps_detail = keeps_detail
        # The number of buckets of an organisation never changes, so it is safe to cache.
        self._buckets: dict[str, int] = {}

    def __call__(self, org_id: str, changes: Sequence[tuple[int, Change]]) -> Receipt:
        """Write (index, change) pairs concurrently; pairs of one (type, id) in their order.

        Every record counted as accepted, unchanged or stale is durable when this returns. Raises
        Unavailable when the store stays busy: some records may be written, and it is safe to send
        all of them again. Raises UnknownOrganisation when the organisation does not exist or is
        being deleted.
        """
        receipt = Receipt()
        latest_ms = self._now_us() // 1000 + MAX_CLOCK_SKEW_MS
        by_fact: dict[tuple[str, str], list[tuple[int, Change]]] = {}
        for index, change in changes:
            if change.updated_at_ms is not None and change.updated_at_ms > latest_ms:
                receipt.refusals.append(Refusal(index, "updated_at", TOO_NEW))
            else:
                kept = change if self._keeps_detail else change.without_detail()
                by_fact.setdefault((kept.type, kept.id), []).append((index, kept))
        if not by_fact:
            return receipt
        buckets = self._buckets_of(org_id)
        stored = self._facts.read(org_id, buckets, by_fact.keys())

        def write(pair: tuple[tuple[str, str], list[tuple[int, Change]]]) -> list[_Written]:
            fact_key, versions = pair
            results: list[_Written] = []
            known = stored.get(fact_key)
            for index, change in versions:
                try:
                    outcome, known = self._facts.write(org_id, buckets, known, change)
                    results.append(outcome)
                except RefusedChange as refused:
                    results.append(Refusal(index, refused.field, str(refused)))
                except CorruptItem:
                    results.append(Refusal(index, "record", _DAMAGED))
            return results

        for results in self._concurrently(write, by_fact.items()):
            for result in results:
                _count(receipt, result)
        return receipt

    def _buckets_of(self, org_id: str) -> int:
        buckets = self._buckets.get(org_id)
        if buckets is None:
            organisation = self._directory.organisation(org_id)
            if organisation is None or organisation.is_deleting:
                raise UnknownOrganisation(org_id)
            buckets = self._buckets[org_id] = organisation.buckets
        return buckets

    def _concurrently(
        self,
        write: Callable[[_Versions], list[_Written]],
        work: Iterable[_Versions],
    ) -> Iterable[list[_Written]]:
        # The tenant is a context variable, and only one thread at a time can enter a context.
        futures = [
            self._executor.submit(contextvars.copy_context().run, write, item) for item in work
        ]
        wait(futures)  # even after an error, no write may still run when the answer is sent
        return [future.result() for future in futures]


def _count(receipt: Receipt, result: _Written) -> None:
    match result:
        case Refusal():
            receipt.refusals.append(result)
        case Outcome.ACCEPTED:
            receipt.accepted += 1
        case Outcome.UNCHANGED:
            receipt.unchanged += 1
        case Outcome.STALE:
            receipt.stale += 1
