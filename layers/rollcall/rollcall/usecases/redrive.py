"""Bringing back what ended in the failure destination, through the ordinary way of the stream.

A replay applies by revision, as every delivery does, so it is harmless after newer versions and any
number of times. An object leaves only when each of its records is applied, is nothing to apply by
rule, or is kept by an object of its own: at no instant is a record neither applied nor kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from rollcall.domain.errors import CorruptItem, Unavailable
from rollcall.domain.failed_records import FailedRecords, FailureKind
from rollcall.usecases.ports import Failures
from rollcall.usecases.update import Result, StreamRecord


class Remaining(NamedTuple):
    """An object that stays in the destination, and why."""

    name: str
    reason: str


@dataclass(slots=True)
class Replayed:
    """What became of one object.

    `settled` counts the records that are applied, or nothing to apply by rule. `remaining` names
    the object itself, or what took the place of a batch of which some was applied. `is_found` is
    False when there was no such object. `is_unreachable`: the tables could not be reached.
    """

    settled: int = 0
    remaining: list[Remaining] = field(default_factory=list)
    is_found: bool = True
    is_unreachable: bool = False


class LeftInPlace:
    """The quarantine of a replay: what is poison is in the destination already."""

    @staticmethod
    def put(record: Mapping[str, Any], reason: str) -> str:
        """Keeps nothing; `Redrive` decides what stays where."""
        del record, reason
        return ""


class Redrive:
    """Lists, shows and replays the failure destination.

    `update` applies records as the stream function does, and leaves poison to its caller.
    `parse` makes sense of a document, or raises CorruptItem.
    """

    def __init__(
        self,
        failures: Failures,
        parse: Callable[[Mapping[str, Any]], FailedRecords],
        update: Callable[[Sequence[StreamRecord]], Result],
    ) -> None:
        self._failures = failures
        self._parse = parse
        self._update = update

    def names(self) -> Iterator[str]:
        """The names of all objects. Raises BrokenDestination, as everything here does."""
        return self._failures.names()

    def document(self, name: str) -> Mapping[str, Any] | None:
        """The JSON document of an object, None when there is none. Raises CorruptItem."""
        return self._failures.read(name)

    def failed(self, name: str) -> FailedRecords | None:
        """What an object holds, None when there is none. Raises CorruptItem."""
        document = self._failures.read(name)
        return None if document is None else self._parse(document)

    def replay(self, name: str, *, keep: bool = False) -> Replayed:
        """Apply the records of an object, and remove it if nothing of it is left to do.

        A batch of which some was applied and the rest is poison makes room for one object a poison
        record. With `keep` nothing in the destination changes.
        """
        try:
            failed = self.failed(name)
        except CorruptItem as corrupt:
            return Replayed(remaining=[Remaining(name, f"damaged or not ours: {corrupt}")])
        if failed is None:
            return Replayed(is_found=False)
        result = self._update(failed.records)
        if result.failures:
            return _not_applied(name, result)
        poison = [(failed.records[index], reason) for index, reason in result.quarantined]
        replayed = Replayed(settled=len(failed.records) - len(poison))
        is_split = bool(poison) and failed.kind is FailureKind.BATCH and replayed.settled > 0
        if keep or (poison and not is_split):
            reasons = sorted({reason for _, reason in poison})
            replayed.remaining += [Remaining(name, "; ".join(reasons))] if poison else []
            return replayed
        for record, reason in poison:
            replayed.remaining.append(Remaining(self._failures.put(record, reason), reason))
        if all(kept.name != name for kept in replayed.remaining):
            self._failures.remove(name)
        return replayed


def is_unfinished(name: str) -> bool:
    """Whether a name is that of a write under way, or of one that was broken off.

    Nobody counts on those: whoever writes one goes on, or has its records delivered again.
    """
    return PurePosixPath(name).name.startswith(".")


def _not_applied(name: str, result: Result) -> Replayed:
    errors = [failure.error for failure in result.failures]
    reasons = sorted({f"{type(error).__name__}: {error}" for error in errors})
    return Replayed(
        remaining=[Remaining(name, "not applied: " + "; ".join(reasons))],
        is_unreachable=all(isinstance(error, Unavailable) for error in errors),
    )
