"""Checks that every rollup is the sum of the contributions of the rows.

A rollup changes only in the transaction of a page, and each change gives it a new version. If it has
the same version before the first page is read and after the last, it must therefore be the sum of
the pages. A rollup that changes meanwhile is compared again, and only the pages that changed are
read again; one that keeps changing is reported as unverified.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from rollcall.domain.contributions import families_fed_by
from rollcall.domain.errors import Conflict
from rollcall.domain.measures import ALL, RollupKey, is_sum_of_days
from rollcall.ledger.rollups import StoredRollup, put_rollup
from rollcall.ledger.transaction import Transaction
from rollcall.maintenance import audits
from rollcall.maintenance.ports import Inspection
from rollcall.maintenance.reconcile.context import AGAIN_SECONDS, Context
from rollcall.maintenance.reconcile.inspection import (
    RollupSeen,
    Sums,
    add_measures,
    add_up,
    differences,
    off_by,
    without_zeros,
)
from rollcall.maintenance.reconcile.page_sums import (
    Incomparable,
    PageSums,
    bucket_ranges,
    covering_pages,
)

# Rollups that are compared together: their sums are in memory, some hundred bytes per measure.
_MAX_KEYS: Final = 5_000
# Changing rollups that are compared together: the sums of each page are in memory.
_MAX_CHANGING: Final = 50
_TRIES: Final = 8


class _TooMany(Exception):
    """There are more rollups than may be in memory at once."""


class _Reading(NamedTuple):
    """A rollup's version (0 if it is absent), its expected measures, and the versions behind them."""

    version: int | None
    expected: Mapping[str, int]
    sources: Hashable


class _SumOfDays(NamedTuple):
    """The sum of the day rollups of one rollup scope, and their versions."""

    total: Mapping[str, int]
    spilled: frozenset[str]
    versions: tuple[int, ...]


@dataclass(slots=True)
class CompareRollups:
    """Compares the rollups of one bucket of the epoch with its rows, a day or all time at a time."""

    context: Context
    inspection: Inspection
    # Known when the comparison of all time begins: an unverified day may be wrong.
    _are_days_verified: bool = field(default=True, init=False)

    def __call__(self, bucket: str) -> None:
        """Compare the rollups of a day `YYYY-MM-DD` or, after all days, of all time."""
        if bucket == ALL:
            self._are_days_verified = not self.context.audit.unsettled
        self._share(bucket, 0, 1)

    def _share(self, bucket: str, residue: int, modulus: int) -> None:
        """Compare the rollups of a share of the hashes; one that is too large is divided."""
        try:
            suspects = self._suspects(bucket, _in_share(bucket, residue, modulus))
        except _TooMany:
            self._share(bucket, residue, modulus * 2)
            self._share(bucket, residue + modulus, modulus * 2)
            return
        for first in range(0, len(suspects), _MAX_CHANGING):
            some = suspects[first : first + _MAX_CHANGING]
            try:
                self._compare_again(bucket, some)
            except Incomparable:  # a page was lost or damaged meanwhile
                self.context.count(unsettled=len(some))

    # -- all rollups of a share --------------------------------------------------------------
    def _suspects(self, bucket: str, is_wanted: Callable[[RollupKey], bool]) -> list[RollupKey]:
        """The rollups that one reading of the pages does not prove to be right."""
        listed = self._listed(bucket, is_wanted)
        before = {k: seen.version for k, seen in self.inspection.seen(sorted(listed)).items()}
        sums, incomparable = self._sums(bucket, is_wanted)
        found = listed | sums.keys()
        compared = sorted(key for key in found if key.family not in incomparable)
        self.context.count(unsettled=len(found) - len(compared))
        after = self.inspection.seen(compared)
        suspects = []
        for key in compared:
            seen = after.get(key)
            is_unchanged = key in before and seen is not None and seen.version == before[key]
            if is_unchanged and _is_right(sums.get(key, {}), seen):
                self.context.count(rollups=1)
            else:
                suspects.append(key)
        return suspects

    def _listed(self, bucket: str, is_wanted: Callable[[RollupKey], bool]) -> set[RollupKey]:
        listed: set[RollupKey] = set()
        for key in self.inspection.rollup_keys(bucket):
            if is_wanted(key):
                listed.add(key)
            if len(listed) > _MAX_KEYS:
                raise _TooMany
        return listed

    def _sums(self, bucket: str, is_wanted: Callable[[RollupKey], bool]) -> tuple[Sums, set[str]]:
        """The sums of the wanted rollups, and the families whose pages are not all readable."""
        sums: Sums = {}
        incomparable: set[str] = set()
        for record_type, first, end in bucket_ranges(bucket):
            try:
                for page in covering_pages(self.inspection, record_type, first, end):
                    add_up(page.rows or (), self.context.contribute, is_wanted, sums)
                    if len(sums) > 2 * _MAX_KEYS:
                        raise _TooMany
            except Incomparable:
                incomparable |= families_fed_by(record_type)
        return sums, incomparable

    # -- the rollups that changed meanwhile, or seem wrong -----------------------------------
    def _compare_again(self, bucket: str, keys: Collection[RollupKey]) -> None:
        pages = PageSums(self.inspection, self.context.contribute, bucket)
        left = list(keys)
        # The items of a transaction become visible one after another: a difference is reported when
        # two readings found it. An absent rollup has no version that shows that it was absent
        # between them, but the versions of its pages show it.
        wrong: dict[RollupKey, _Reading] = {}
        for attempt in range(_TRIES):
            before = self.inspection.seen(left)
            sums = pages.current(frozenset(left))
            after = self.inspection.seen(left)
            changed = []
            for key in left:
                seen, expected = after.get(key), without_zeros(sums.get(key, {}))
                is_wrong = not _is_right(expected, seen)
                sources = pages.sources(key) if is_wrong and seen is None else frozenset()
                reading = _Reading(_version(seen), expected, sources)
                if _version(before.get(key)) != reading.version:
                    changed.append(key)
                elif is_wrong and wrong.get(key) != reading:
                    wrong[key] = reading
                    changed.append(key)
                elif not self._compare(key, expected, seen):
                    changed.append(key)
            left = changed
            if not left:
                return
            self.context.sleep(AGAIN_SECONDS * (attempt + 1))
        self._compare_lifetimes(left)

    # -- all time against its days -----------------------------------------------------------
    def _compare_lifetimes(self, keys: Iterable[RollupKey]) -> None:
        """Compare rollups that keep changing with their days; the others are unverified."""
        for key in keys:
            if not (self._is_sum_of_right_days(key) and self._compare_with_days(key)):
                self.context.count(unsettled=1)

    def _is_sum_of_right_days(self, key: RollupKey) -> bool:
        """Whether a rollup must be the sum of its days, none of which is known to be wrong."""
        if key.bucket != ALL or not is_sum_of_days(key.family):
            return False
        is_none_left_wrong = self.context.is_repairing or not any(
            kind in self.context.audit.drift for kind in audits.ROLLUP_KINDS
        )
        return self._are_days_verified and is_none_left_wrong

    def _compare_with_days(self, key: RollupKey) -> bool:
        """Compare a rollup of all time with the sum of its days; False if that is not possible.

        Days are read one after another, and a transaction that moves an amount from one day to
        another does not change all time. A difference is therefore reported only when two readings
        found it with all versions unchanged: then all of these items existed at the same time.
        """
        wrong: _Reading | None = None
        for _ in range(_TRIES):
            before = self.inspection.seen([key]).get(key)
            days = self._sum_of_days(key)
            if days is None:
                return False
            seen = self.inspection.seen([key]).get(key)
            if before is None or seen is None or before.version != seen.version:
                continue
            if seen.stored is None or days.spilled - seen.stored.spilled:
                return False
            reading = _Reading(seen.version, days.total, days.versions)
            if not _is_right(reading.expected, seen) and reading != wrong:
                wrong = reading
                self.context.sleep(AGAIN_SECONDS)
            elif self._compare(key, reading.expected, seen):
                return True
        return False

    def _sum_of_days(self, key: RollupKey) -> _SumOfDays | None:
        """The sum of a rollup's days; None if one of them is damaged."""
        total: dict[str, int] = {}
        spilled: set[str] = set()
        versions: list[int] = []
        for day in self.inspection.days_of(key.family, key.scope):
            if day.stored is None or day.version is None:
                return None
            versions.append(day.version)
            spilled |= day.stored.spilled
            add_measures(total, day.stored.measures)
        return _SumOfDays(without_zeros(total), frozenset(spilled), tuple(versions))

    # -- one rollup with known expected values -----------------------------------------------
    def _compare(
        self, key: RollupKey, expected: Mapping[str, int], seen: RollupSeen | None
    ) -> bool:
        """Report a rollup that is not as expected, and correct it; False if it changed meanwhile."""
        if _is_right(expected, seen):
            self.context.count(rollups=1)
            return True
        is_repaired = False
        if self.context.is_repairing:
            version = _version(seen)
            try:
                if version is None:
                    self.context.current()
                    self.inspection.repair_rollup_version(key)
                    version = _version(self.inspection.seen([key]).get(key))
                stored = None if seen is None else seen.stored
                read = replace(stored or StoredRollup(), version=version or 0)
                self._correct(key, expected, read)
            except Conflict:
                return False
            is_repaired = True
        self.context.count(rollups=1)
        stored = StoredRollup() if seen is None else seen.stored
        self.context.found(
            _kind(expected, seen),
            key.family,
            f"{' '.join((key.family, *key.scope, key.bucket))}: {_mismatch(expected, stored)}",
            amount=max(1, off_by(expected, stored or StoredRollup())),
            bucket=key.bucket,
            is_repaired=is_repaired,
        )
        return True

    def _correct(self, key: RollupKey, expected: Mapping[str, int], read: StoredRollup) -> None:
        """Write the expected values of a rollup, if its version is still the one that was read."""
        self.context.current()
        write = put_rollup(key, expected, read)
        self.inspection.commit(Transaction.of((), [write]))


def _in_share(bucket: str, residue: int, modulus: int) -> Callable[[RollupKey], bool]:
    """Whether a rollup is of a bucket and its hash in a share."""

    def is_in_share(key: RollupKey) -> bool:
        return key.bucket == bucket and zlib.crc32(repr(key).encode()) % modulus == residue

    return is_in_share


def _is_right(expected: Mapping[str, int], seen: RollupSeen | None) -> bool:
    """Whether a rollup is as expected; an absent one has no measures."""
    if seen is None:
        return not expected
    return seen.stored is not None and seen.is_whole and not off_by(expected, seen.stored)


def _version(seen: RollupSeen | None) -> int | None:
    return 0 if seen is None else seen.version


def _kind(expected: Mapping[str, int], seen: RollupSeen | None) -> str:
    if seen is None:
        return audits.ROLLUP_MISSING
    if seen.stored is None or not (seen.is_whole or off_by(expected, seen.stored)):
        return audits.ROLLUP_DAMAGED
    return audits.ROLLUP_DIFFERS if expected else audits.ROLLUP_PHANTOM


def _mismatch(expected: Mapping[str, int], stored: StoredRollup | None) -> str:
    """The first measures that differ, as `name: stored, not expected`."""
    if stored is None:
        return "damaged"
    found = sorted(differences(expected, stored).items())
    wrong = [f"{name}: {is_there}, not {due}" for name, (is_there, due) in found]
    return "; ".join(wrong[:5]) + ("; …" if len(wrong) > 5 else "") or "an attribute is missing"
