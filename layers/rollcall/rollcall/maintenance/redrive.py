"""Replays the records of the failure destination as the stream function applies them.

A replay applies facts by revision, as every delivery does, so it is harmless after newer versions
and may be repeated. An object is removed only when each of its records is applied, has nothing to
apply, or is in an object of its own: at any time, every record is applied or kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from rollcall.domain.errors import CorruptItem, RollcallError, Unavailable
from rollcall.maintenance.failed_records import FailedRecords, FailureKind
from rollcall.maintenance.ports import AppliedBatch, Failures, QuarantinedRecords


class Remaining(NamedTuple):
    """An object that stays in the destination, and why."""

    name: str
    reason: str


@dataclass(slots=True)
class Replayed:
    """The outcome of the replay of one object.

    `settled` counts the records that are applied or have nothing to apply. `remaining` names the
    object itself, or the objects that replace one that was partly applied. `is_found` is False when
    the object does not exist. `is_unreachable` is True when the tables were busy or could not be
    reached.
    """

    settled: int = 0
    remaining: list[Remaining] = field(default_factory=list)
    is_found: bool = True
    is_unreachable: bool = False


class LeftInPlace:
    """The quarantine of a replay: records that cannot be applied already are in the destination."""

    @staticmethod
    def put(records: Sequence[Mapping[str, Any]], reason: str) -> str:
        """Store nothing: `Redrive` decides which objects remain."""
        del records, reason
        return ""


class Redrive:
    """Lists, shows and replays the failure destination.

    `update` applies records as the stream function does, and leaves quarantined ones to its caller.
    `redeliver` records a delivery to a hook, or returns why it cannot; it raises RollcallError.
    `parse` parses a document, or raises CorruptItem.
    """

    def __init__(
        self,
        failures: Failures,
        parse: Callable[[Mapping[str, Any]], FailedRecords],
        update: Callable[[Sequence[Mapping[str, Any]]], AppliedBatch],
        redeliver: Callable[[Mapping[str, Any]], str | None],
    ) -> None:
        self._failures = failures
        self._parse = parse
        self._update = update
        self._redeliver = redeliver

    def names(self) -> Iterator[str]:
        """The names of all objects. Raises BrokenDestination, as every method here does."""
        return self._failures.names()

    def document(self, name: str) -> Mapping[str, Any] | None:
        """The JSON document of an object, or None. Raises CorruptItem."""
        return self._failures.read(name)

    def failed(self, name: str) -> FailedRecords | None:
        """The failed records of an object, or None. Raises CorruptItem."""
        document = self._failures.read(name)
        return None if document is None else self._parse(document)

    def replay(self, name: str, *, keep: bool = False) -> Replayed:
        """Apply the records of an object, and remove it if all of them are applied.

        If only some can be applied, the object is replaced by objects with the other records, one
        per reason. With `keep`, the destination does not change.
        """
        try:
            document = self._failures.read(name)
            if document is None:
                return Replayed(is_found=False)
            failed = self._parse(document)
        except CorruptItem as corrupt:
            return Replayed(remaining=[Remaining(name, f"damaged or not ours: {corrupt}")])
        if failed.kind is FailureKind.DELIVERY:
            return self._delivered(name, document, keep=keep)
        result = self._update(failed.records)
        if result.failures:
            return _not_applied(name, result)
        left = result.quarantined
        settled = len(failed.records) - sum(len(group.indices) for group in left)
        if keep or (left and not settled):
            return Replayed(settled, _remaining(name, left))
        return Replayed(settled, self._replaced(name, failed, left))

    def _delivered(self, name: str, document: Mapping[str, Any], *, keep: bool) -> Replayed:
        try:
            reason = self._redeliver(document)
        except RollcallError as error:
            remaining = [Remaining(name, f"not recorded: {type(error).__name__}: {error}")]
            return Replayed(remaining=remaining, is_unreachable=isinstance(error, Unavailable))
        if reason is not None:
            return Replayed(remaining=[Remaining(name, reason)])
        if not keep:
            self._failures.remove(name)
        return Replayed(1)

    def _replaced(
        self, name: str, failed: FailedRecords, left: Sequence[QuarantinedRecords]
    ) -> list[Remaining]:
        """Replace an object by one object per group of its records that cannot be applied."""
        remaining = []
        for group in left:
            records = [failed.records[index] for index in group.indices]
            kept = self._failures.put(records, group.reason)
            remaining.append(Remaining(kept, group.reason))
        if all(kept.name != name for kept in remaining):
            self._failures.remove(name)
        return remaining


def is_unfinished(name: str) -> bool:
    """Whether a name belongs to an unfinished or interrupted write.

    Such an object may be ignored: its writer completes it, or its records are delivered again.
    """
    return PurePosixPath(name).name.startswith(".")


def _remaining(name: str, left: Sequence[QuarantinedRecords]) -> list[Remaining]:
    """The object itself, with the reasons of its records that cannot be applied, if any."""
    reasons = sorted({group.reason for group in left})
    return [Remaining(name, "; ".join(reasons))] if left else []


def _not_applied(name: str, result: AppliedBatch) -> Replayed:
    reasons = sorted({f"{type(f.error).__name__}: {f.error}" for f in result.failures})
    remaining = [Remaining(name, "not applied: " + "; ".join(reasons))]
    return Replayed(remaining=remaining, is_unreachable=True)
