"""Checks that every rollup is the sum of the contributions of the rows.

A rollup changes only in the transaction of a page, and each change gives it a new version. If it has
the same version before the first page is read and after the last, it must therefore be the sum of
the pages. A rollup that changes meanwhile is compared again, and only the pages that changed are
read again; one that keeps changing is reported as unverified.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from rollcall.domain.contributions import families_fed_by
from rollcall.domain.errors import Conflict
from rollcall.domain.measures import (
    ALL,
    DURATION,
    RollupKey,
    breakdown_of,
    is_sum_of_days,
)
from rollcall.domain.records import RECORD_TYPES
from rollcall.domain.time.calendar import MS_PER_DAY, parse_date
from rollcall.ledger.positions import END, FIRST, floor
from rollcall.ledger.transaction import RollupDelete, StoredRollup, Transaction, put_rollup
from rollcall.maintenance import audits
from rollcall.maintenance.reconcile.context import AGAIN_SECONDS, Context
from rollcall.maintenance.reconcile.inspection import (
    RollupSeen,
    Sums,
    SurveyedPage,
    add_measures,
    add_up,
    differences,
    off_by,
    without_zeros,
)

# Rollups that are compared together: their sums are in memory, some hundred bytes per measure.
_MAX_KEYS: Final = 5_000
# Changing rollups that are compared together: the sums of each page are in memory.
_MAX_SETTLING: Final = 50
_TRIES: Final = 8


class _TooMany(Exception):
    """There are more rollups than may be in memory at once."""


class _Incomparable(Exception):
    """A page is missing or damaged, so the expected values of rollups are unknown."""


@dataclass(frozen=True, slots=True)
class _Known:
    """The contributions of one version of a page to some rollups."""

    end: str
    version: int
    sums: Sums


class _Look(NamedTuple):
    """A rollup's version (0: it is not there), what it must hold, and versions of what says so."""

    version: int | None
    expected: Mapping[str, int]
    sources: Hashable


@dataclass(slots=True)
class CompareRollups:
    """Compares the rollups of one bucket with the rows."""

    context: Context
    # Known when the comparison of all time begins: an unverified day may be wrong.
    _are_days_verified: bool = field(default=True, init=False)

    def __call__(self, bucket: str) -> None:
        """Compare the rollups of a day `YYYY-MM-DD` or, after all days, of all time."""
        if bucket == ALL:
            self._are_days_verified = not self.context.findings.unsettled
        self._share(bucket, 0, 1)

    def _share(self, bucket: str, residue: int, modulus: int) -> None:
        """Compare the rollups of a share of the hashes; one that is too large is divided."""
        try:
            suspects = self._suspects(bucket, residue, modulus)
        except _TooMany:
            self._share(bucket, residue, modulus * 2)
            self._share(bucket, residue + modulus, modulus * 2)
            return
        for first in range(0, len(suspects), _MAX_SETTLING):
            some = suspects[first : first + _MAX_SETTLING]
            try:
                self._settle(bucket, some)
            except _Incomparable:  # a page was lost or damaged meanwhile
                self.context.findings.unsettled += len(some)

    # -- all of a share at once --------------------------------------------------------------
    def _suspects(self, bucket: str, residue: int, modulus: int) -> list[RollupKey]:
        """The rollups that are not shown to be right by one reading of the pages."""

        def is_wanted(key: RollupKey) -> bool:
            return key.bucket == bucket and zlib.crc32(repr(key).encode()) % modulus == residue

        listed: set[RollupKey] = set()
        for key in self.context.inspection.rollup_keys(bucket):
            if is_wanted(key):
                listed.add(key)
            if len(listed) > _MAX_KEYS:
                raise _TooMany
        before = {
            k: seen.version for k, seen in self.context.inspection.seen(sorted(listed)).items()
        }
        sums: Sums = {}
        incomparable: set[str] = set()
        for record_type, first, end in _ranges(bucket):
            try:
                for page in self._tiled(record_type, first, end):
                    add_up(page.rows or (), self.context.contribute, is_wanted, sums)
                    if len(sums) > 2 * _MAX_KEYS:
                        raise _TooMany
            except _Incomparable:
                incomparable |= families_fed_by(record_type)
        found = listed | sums.keys()
        compared = sorted(key for key in found if key.family not in incomparable)
        self.context.findings.unsettled += len(found) - len(compared)
        after = self.context.inspection.seen(compared)
        suspects = []
        for key in compared:
            seen = after.get(key)
            has_rested = key in before and seen is not None and seen.version == before[key]
            if has_rested and seen and _is_right(sums.get(key, {}), seen):
                self.context.findings.rollups += 1
            else:
                suspects.append(key)
        return suspects

    def _tiled(self, record_type: str, first: str, end: str) -> Iterator[SurveyedPage]:
        """The pages over a range, each position once. Raises _Incomparable."""
        page = self.context.inspection.page_from(record_type, first)
        if page is None:
            if any(True for _ in self.context.inspection.pages(record_type, FIRST, END)):
                raise _Incomparable  # the first page is missing
            return
        reached = first
        for following in self.context.inspection.pages(record_type, page.start, end):
            while following.start > reached:
                gap = self.context.inspection.page_from(record_type, reached)
                reached = _end_of(gap, reached)
                if gap is not None:
                    yield gap
            if _covers(following, reached):
                reached = _end_of(following, reached)
                yield following
        while reached < end:
            gap = self.context.inspection.page_from(record_type, reached)
            reached = _end_of(gap, reached)
            if gap is not None:
                yield gap

    # -- some that did not rest, or seem wrong -----------------------------------------------
    def _settle(self, bucket: str, keys: Collection[RollupKey]) -> None:
        known: dict[tuple[str, str], _Known] = {}
        left = list(keys)
        # The items of a transaction are seen one after another: what is wrong is told when two looks
        # found it so. A rollup that is not there has no version to tell that it never was between
        # them, but the versions of its pages do.
        wrong: dict[RollupKey, _Look] = {}
        for attempt in range(_TRIES):
            before = self.context.inspection.seen(left)
            sums = self._refreshed(bucket, frozenset(left), known)
            after = self.context.inspection.seen(left)
            unsettled = []
            for key in left:
                seen, expected = after.get(key), without_zeros(sums.get(key, {}))
                is_wrong = not _is_right(expected, seen)
                pages = _pages_of(key, known) if is_wrong and seen is None else frozenset()
                look = _Look(_version(seen), expected, pages)
                if _version(before.get(key)) != look.version:
                    unsettled.append(key)
                elif is_wrong and wrong.get(key) != look:
                    wrong[key] = look
                    unsettled.append(key)
                elif not self._compare(key, expected, seen):
                    unsettled.append(key)
            left = unsettled
            if not left:
                return
            self.context.sleep(AGAIN_SECONDS * (attempt + 1))
        for key in left:
            if not self._by_days(key):
                self.context.findings.unsettled += 1

    def _refreshed(
        self, bucket: str, keys: frozenset[RollupKey], known: dict[tuple[str, str], _Known]
    ) -> Sums:
        """The sums of some rollups; reads only the pages that changed since the last call."""
        sums: Sums = {}
        families = {key.family for key in keys}
        for record_type, first, end in _ranges(bucket):
            if families.isdisjoint(families_fed_by(record_type)):
                continue
            begin = self.context.inspection.page_from(record_type, first)
            if begin is None:
                continue
            reached = first
            for listed in self.context.inspection.versions(record_type, begin.start, end):
                while reached < listed.start:
                    reached = self._read(record_type, reached, keys, known, sums)
                if not listed.start <= reached < listed.end:
                    continue
                page = known.get((record_type, listed.start))
                if page is not None and (page.end, page.version) == (listed.end, listed.version):
                    _add_all(page.sums, sums)
                    reached = page.end
                else:
                    reached = self._read(record_type, reached, keys, known, sums)
            while reached < end:
                reached = self._read(record_type, reached, keys, known, sums)
        return sums

    def _read(
        self,
        record_type: str,
        reached: str,
        keys: frozenset[RollupKey],
        known: dict[tuple[str, str], _Known],
        sums: Sums,
    ) -> str:
        page = self.context.inspection.page_from(record_type, reached)
        end = _end_of(page, reached)
        own: Sums = {}
        add_up(page.rows or () if page else (), self.context.contribute, keys.__contains__, own)
        _add_all(own, sums)
        if page is not None and page.version is not None:
            known[record_type, page.start] = _Known(end, page.version, own)
        return end

    def _by_days(self, key: RollupKey) -> bool:
        """Compare a rollup of all time with the sum of its days.

        Days are read one after another, and a transaction that takes from one what it adds to
        another leaves all time as it was. So what is wrong is told when two looks found it so and
        every version the same: between the two, all of that stood there at once.
        """
        if key.bucket != ALL or not is_sum_of_days(key.family) or not self._are_days_right():
            return False
        wrong: _Look | None = None
        for _ in range(_TRIES):
            before = self.context.inspection.seen([key]).get(key)
            total: dict[str, int] = {}
            spilled: set[str] = set()
            versions: list[int] = []
            days = self.context.inspection.days_of(key.family, key.scope, is_open=key.is_open)
            for day in days:
                if day.stored is None or day.version is None:
                    return False
                versions.append(day.version)
                spilled |= day.stored.spilled
                add_measures(total, day.stored.counts)
            seen = self.context.inspection.seen([key]).get(key)
            if before is None or seen is None or before.version != seen.version:
                continue
            if seen.stored is None or spilled - seen.stored.spilled - {DURATION}:
                return False
            kept = {n: c for n, c in total.items() if not (key.is_open and _is_histogram(n))}
            look = _Look(seen.version, without_zeros(kept), tuple(versions))
            if not _is_right(look.expected, seen) and look != wrong:
                wrong = look
                self.context.sleep(AGAIN_SECONDS)
            elif self._compare(key, look.expected, seen):
                return True
        return False

    def _are_days_right(self) -> bool:
        """Whether no day is known to be wrong; otherwise days prove nothing about all time."""
        is_none_left_wrong = self.context.is_repairing or not any(
            kind in self.context.findings.drift for kind in audits.ROLLUP_KINDS
        )
        return self._are_days_verified and is_none_left_wrong

    # -- one rollup with known expected values -----------------------------------------------
    def _compare(
        self, key: RollupKey, expected: Mapping[str, int], seen: RollupSeen | None
    ) -> bool:
        """Report a rollup that is not as expected, and correct it; False if it changed meanwhile."""
        if _is_right(expected, seen):
            self.context.findings.rollups += 1
            return True
        is_repaired = False
        if self.context.is_repairing:
            version = _version(seen)
            try:
                if version is None:
                    self.context.current()
                    self.context.inspection.repair_rollup_version(key)
                    version = _version(self.context.inspection.seen([key]).get(key))
                stored = None if seen is None else seen.stored
                read = replace(stored or StoredRollup(), version=version or 0)
                self._correct(key, expected, read)
            except Conflict:
                return False
            is_repaired = True
        self.context.findings.rollups += 1
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
        if not expected and not read.spilled:
            delete = RollupDelete(key, read.version)
            self.context.inspection.commit(Transaction((), (), (), (delete,)))
        else:
            kept = {n: c for n, c in expected.items() if breakdown_of(n) not in read.spilled}
            put = put_rollup(key, kept, read)
            self.context.inspection.commit(Transaction((), (), (put,)))


def _ranges(bucket: str) -> Iterator[tuple[str, str, str]]:
    """(record type, first position, end) of the rows that may contribute to a bucket."""
    day = None if bucket == ALL else parse_date(bucket)
    for record_type in RECORD_TYPES.values():
        if bucket == ALL:
            yield record_type.name, FIRST, END
        elif day is not None and record_type.time_column is not None:
            start_ms = day * MS_PER_DAY
            first = max(floor(start_ms), FIRST)
            yield record_type.name, first, floor(start_ms + MS_PER_DAY)


def _covers(page: SurveyedPage, reached: str) -> bool:
    return page.start <= reached and (page.end is None or reached < page.end)


def _end_of(page: SurveyedPage | None, reached: str) -> str:
    """The end of the page that was read for a position. Raises _Incomparable."""
    if page is None or page.rows is None or not page.covers(reached):
        raise _Incomparable
    return page.end or reached


def _add_all(added: Sums, sums: Sums) -> None:
    for key, measures in added.items():
        add_measures(sums.setdefault(key, {}), measures)


def _is_right(expected: Mapping[str, int], seen: RollupSeen | None) -> bool:
    """Whether a rollup is as expected; an absent one has no measures."""
    if seen is None:
        return not expected
    return seen.stored is not None and seen.is_whole and not off_by(expected, seen.stored)


def _pages_of(
    key: RollupKey, known: Mapping[tuple[str, str], _Known]
) -> frozenset[tuple[str, str, int]]:
    """The pages that contribute to a rollup, with their versions."""
    return frozenset((*place, page.version) for place, page in known.items() if key in page.sums)


def _version(seen: RollupSeen | None) -> int | None:
    return 0 if seen is None else seen.version


def _is_histogram(name: str) -> bool:
    return breakdown_of(name) == DURATION


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
