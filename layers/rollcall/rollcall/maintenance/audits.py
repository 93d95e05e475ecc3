"""The audit of one organisation: the result of a comparison of facts, pages and rollups.

A stored audit holds no values of records. A difference has a kind, a day and an amount, but no id
and no value, so that an erasure has nothing to remove from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

# Kinds of differences, in the order in which the comparison finds them.
PAGE_DAMAGED: Final = "page_damaged"
PAGE_MISSING: Final = "page_missing"
PAGE_PHANTOM: Final = "page_phantom"
FACT_DAMAGED: Final = "fact_damaged"
DETAIL_MISSING: Final = "detail_missing"
DETAIL_DIFFERS: Final = "detail_differs"
ROW_MISSING: Final = "row_missing"
ROW_BEHIND: Final = "row_behind"
ROW_DIFFERS: Final = "row_differs"
ROW_PHANTOM: Final = "row_phantom"
ROLLUP_MISSING: Final = "rollup_missing"
ROLLUP_DIFFERS: Final = "rollup_differs"
ROLLUP_PHANTOM: Final = "rollup_phantom"
ROLLUP_DAMAGED: Final = "rollup_damaged"

KINDS: Final = (
    PAGE_DAMAGED,
    PAGE_MISSING,
    PAGE_PHANTOM,
    FACT_DAMAGED,
    DETAIL_MISSING,
    DETAIL_DIFFERS,
    ROW_MISSING,
    ROW_BEHIND,
    ROW_DIFFERS,
    ROW_PHANTOM,
    ROLLUP_MISSING,
    ROLLUP_DIFFERS,
    ROLLUP_PHANTOM,
    ROLLUP_DAMAGED,
)

# Most audits do not read details.
DETAIL_KINDS: Final = (DETAIL_MISSING, DETAIL_DIFFERS)
ROLLUP_KINDS: Final = (ROLLUP_MISSING, ROLLUP_DIFFERS, ROLLUP_PHANTOM, ROLLUP_DAMAGED)

# How many differences an audit stores; all are counted, and reported when found.
MAX_KEPT: Final = 50


@dataclass(frozen=True, slots=True)
class Difference:
    """One drift between facts, pages and rollups.

    `subject` is a record type or the family of a rollup, and `bucket` a day, `ALL` or empty.
    `amount` is the sum of the absolute differences of a rollup's measures, or a number of rows.
    `since_ms` is the earliest time at which the drift can have begun. `name` identifies the item for
    the operator: it is shown, but never stored.
    """

    kind: str
    epoch: int
    subject: str
    bucket: str
    amount: int
    since_ms: int
    is_repaired: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What an audit counts: what it compared, and what became of it.

    `repaired` counts the repaired differences. `unsettled` counts the unverified rollups: they
    changed too often to be compared, or their pages are missing or damaged.
    """

    facts: int = 0
    rows: int = 0
    pages: int = 0
    rollups: int = 0
    repaired: int = 0
    unsettled: int = 0


COUNTED: Final = tuple(each.name for each in fields(Counts))


@dataclass(frozen=True, slots=True)
class Audit(Counts):
    """One comparison of the live epoch, and its result.

    `exact_at_ms` is when the last run began that left no drift, or None if there was none. `drift`
    counts differences by kind. An unfinished run resumes at `cursor`, which is None once it is
    finished.
    """

    run_id: str
    started_at_ms: int
    checked_at_ms: int
    finished_at_ms: int | None = None
    exact_at_ms: int | None = None
    is_repairing: bool = False
    drift: Mapping[str, int] = field(default_factory=dict)
    differences: tuple[Difference, ...] = ()
    cursor: str | None = None

    @property
    def drift_count(self) -> int:
        """The number of differences found."""
        return sum(self.drift.values())

    @property
    def counts(self) -> dict[str, Any]:
        """The counts of the audit, for a log line or a JSON document."""
        return {
            **{name: getattr(self, name) for name in COUNTED},
            "drift": self.drift_count,
            "drift_by_kind": {kind: count for kind, count in sorted(self.drift.items()) if count},
        }

    @property
    def is_exact(self) -> bool:
        """Whether no drift is left, and every rollup was compared."""
        return self.drift_count == self.repaired and not self.unsettled

    def counting(self, **more: int) -> Audit:
        """The audit with counts added: `audit.counting(rows=3)`."""
        return replace(self, **{name: getattr(self, name) + count for name, count in more.items()})

    def with_difference(self, difference: Difference) -> Audit:
        """The audit with a difference counted, and kept if fewer than MAX_KEPT are."""
        return replace(
            self,
            drift={**self.drift, difference.kind: self.drift.get(difference.kind, 0) + 1},
            repaired=self.repaired + difference.is_repaired,
            differences=(*self.differences, difference)[:MAX_KEPT],
        )
