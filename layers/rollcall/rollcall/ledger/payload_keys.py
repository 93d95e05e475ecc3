"""Which payload keys of a page have columns of their own; the others share one column of pairs.

A column per key costs in proportion to the number of keys times the number of rows. So beyond
`OWN_KEYS` keys, only those that most rows have keep a column: together these have at most twice as many
cells as there are values. The arrangement depends on nothing but the rows, so equal rows have equal
bytes, in any order of merges.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from rollcall.ledger.columns import TextColumn
from rollcall.ledger.nested import PairColumn

OWN_KEYS: Final = 16


def arranged(
    own: Mapping[str, TextColumn], shared: PairColumn
) -> tuple[dict[str, TextColumn], PairColumn]:
    """(the keys that have columns of their own, the pairs of all others), of equal values."""
    of_own = {key: int(np.count_nonzero(column.codes)) for key, column in own.items()}
    chosen = _chosen(of_own | shared.counts(), len(shared))
    entering = chosen - own.keys()
    leaving = {key: own[key] for key, count in of_own.items() if count and key not in chosen}
    columns = {key: column for key, column in own.items() if key in chosen}
    if entering:
        columns |= shared.of_keys(entering)
        shared = shared.without(entering)
    if leaving:
        shared = shared.with_columns(leaving)
    return columns, shared


def _chosen(counts: Mapping[str, int], rows: int) -> set[str]:
    """The keys that have columns of their own, of those that so many rows have."""
    present = {key for key, count in counts.items() if count}
    if len(present) <= OWN_KEYS:
        return present
    return {key for key in present if 2 * counts[key] > rows}
