"""What requests read, write and cost, by the published rules of capacity units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tests.support.emulator import capacity


def kind_of(pk: str) -> str:
    """What an analytics item is: page (or the values of a segment), identities or rollup."""
    kinds = (("#LEDGER#", "page"), ("#IDENTITIES#", "identities"), ("#ROLLUP#", "rollup"))
    for mark, kind in kinds:
        if mark in pk:
            return kind
    return "other"


class Meter:
    """Counts of requests by operation; of items and capacity units by the kind of item.

    Write units have an "index" of their own. `seconds` is the CPU time spent in the emulator, to be
    taken off what is measured around it.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.requests: Counter[str] = Counter()
        self.items_read = 0
        self.read_units = 0.0
        self.items_written: Counter[str] = Counter()
        self.write_units: Counter[str] = Counter()
        self.seconds = 0.0

    def read(self, sizes: Iterable[int], items: int, *, is_consistent: bool) -> float:
        """Count reads, given as bytes that were read together; their units."""
        rule = capacity.consistent_read_units if is_consistent else capacity.eventual_read_units
        units = float(sum(map(rule, sizes)))
        self.items_read += items
        self.read_units += units
        return units

    def wrote(
        self, pk: str, before: int | None, after: int | None, *, is_transaction: bool
    ) -> None:
        """Count the write of an item of these sizes in bytes, None where it is absent."""
        rule = capacity.transactional_write_units if is_transaction else capacity.write_units
        self.items_written[kind_of(pk)] += 1
        self.write_units[kind_of(pk)] += rule(max(before or 0, after or 0))
        if before is None and after is not None:
            self.write_units["index"] += 1  # its entry in the keys-only index
