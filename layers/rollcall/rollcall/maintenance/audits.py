"""What a comparison of facts, pages and rollups found: the audit of one organisation.

An audit that is kept holds no value of any record: a difference names the kind of thing, its day and
by how much it differs, never an id or a counted value, so that an erasure has nothing to remove.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

# Kinds of difference, in the order in which they are looked for.
PAGE_DAMAGED: Final = "page_damaged"
PAGE_MISSING: Final = "page_missing"
PAGE_PHANTOM: Final = "page_phantom"
FACT_DAMAGED: Final = "fact_damaged"
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
    ROW_MISSING,
    ROW_BEHIND,
    ROW_DIFFERS,
    ROW_PHANTOM,
    ROLLUP_MISSING,
    ROLLUP_DIFFERS,
    ROLLUP_PHANTOM,
    ROLLUP_DAMAGED,
)

ROLLUP_KINDS: Final = (ROLLUP_MISSING, ROLLUP_DIFFERS, ROLLUP_PHANTOM, ROLLUP_DAMAGED)

# How many differences are kept with an audit; all of them are counted, and shown when found.
MAX_KEPT: Final = 50


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as the facts say.

    `subject` is a record type or the family of a rollup, `bucket` a day, `ALL` or empty; `amount` is
    by how much: the sum of the absolute differences of a rollup's measures, the number of rows else.
    `since_ms` is the earliest moment at which it can have begun. `name` says exactly what it is, for
    the operator's eyes: it is shown, never kept.
    """

    kind: str
    epoch: int
    subject: str
    bucket: str
    amount: int
    since_ms: int
    is_repaired: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Audit:
    """One run: what was compared of the live epoch, and what came of it.

    `exact_at_ms` is when the last run began that left nothing which differs (None: none ever did).
    `drift` counts differences by kind, `repaired` those of them that were healed, `unsettled` the
    rollups that changed too fast to be compared, or whose pages are missing or damaged. `cursor` is where an unfinished run goes on (None
    once it is finished).
    """

    run_id: str
    started_at_ms: int
    checked_at_ms: int
    finished_at_ms: int | None = None
    exact_at_ms: int | None = None
    is_repairing: bool = False
    facts: int = 0
    rows: int = 0
    pages: int = 0
    rollups: int = 0
    drift: Mapping[str, int] = field(default_factory=dict)
    repaired: int = 0
    unsettled: int = 0
    differences: tuple[Difference, ...] = ()
    cursor: str | None = None

    @property
    def drift_count(self) -> int:
        """How many differences were found."""
        return sum(self.drift.values())

    @property
    def counts(self) -> dict[str, Any]:
        """What was compared and what came of it, as a log line or a document says it."""
        return {
            "facts": self.facts,
            "rows": self.rows,
            "pages": self.pages,
            "rollups": self.rollups,
            "drift": self.drift_count,
            "drift_by_kind": dict(self.drift),
            "repaired": self.repaired,
            "unsettled": self.unsettled,
        }

    @property
    def is_exact(self) -> bool:
        """Whether nothing is left that differs or could not be compared."""
        return self.drift_count == self.repaired and not self.unsettled
