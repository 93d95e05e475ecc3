"""The query engine: exact components of any groups of records over any period.

Whole UTC days are read from rollups, if there are rollups of the selection. Partial days, and
aggregations that no rollup can answer, are read from ledger pages. Both are added to the same
groups. `rollcall.query.group_planner` decides which is read from where.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from rollcall.domain.errors import TooManyRows
from rollcall.domain.time.periods import Period
from rollcall.query.columns import columns_of
from rollcall.query.filtering import RowFilter, Selected
from rollcall.query.group_planner import (
    AggregationPlan,
    FromPages,
    FromRollups,
    plan_aggregation,
)
from rollcall.query.group_rollups import GroupRollups, Scan
from rollcall.query.grouping import GroupBuilder, GroupedRows
from rollcall.query.lookups import ensure_as_of
from rollcall.query.model import Aggregation, Reading
from rollcall.query.ports import Ledger, Rollups
from rollcall.query.zones import SegmentFilter


class QueryEngine:
    """Answers aggregations from rollups and ledger pages."""

    def __init__(
        self,
        rollups: Rollups,
        ledger: Ledger,
        max_rows: int,
        explain: Callable[[Aggregation, AggregationPlan], None] | None = None,
    ) -> None:
        """`explain` takes each plan of an aggregation before it is read."""
        self._rollups = rollups
        self._ledger = ledger
        self._max_rows = max_rows
        self._explain = explain

    def aggregate(
        self, reading: Reading, aggregation: Aggregation, *, from_pages: bool = False
    ) -> GroupedRows:
        """The components of each group, and of all rows together.

        With `from_pages`, nothing is read from rollups; the answer is the same. Adds the reads to the
        meter of `reading`. Raises TooManyRows if the answer needs more than `max_rows` ledger rows,
        and TooManyGroups.
        """
        builder = GroupBuilder(aggregation)
        plan = plan_aggregation(aggregation)
        if from_pages:
            plan = FromPages("pages are asked for")
        if self._explain is not None:
            self._explain(aggregation, plan)
        scans = [Scan([aggregation.period])]
        if isinstance(plan, FromRollups):
            scans = GroupRollups(self._rollups, reading, plan).add_to(builder)
        for periods, only in scans:
            builder.add_rows(self._scan(reading, aggregation, periods), only)
        ensure_as_of(self._rollups, reading)
        return builder.groups()

    def _scan(
        self, reading: Reading, aggregation: Aggregation, periods: Iterable[Period]
    ) -> Iterator[Selected]:
        selection = aggregation.selection
        if not selection.can_match:
            return
        meter = reading.meter
        rows, segments = RowFilter(selection), SegmentFilter(selection)
        for read in self._ledger.pages(
            reading.epoch,
            selection.record_type,
            periods,
            meter,
            columns=columns_of(aggregation),
            can_match=lambda directory, _: segments.can_match(directory),
        ):
            count, selected = rows.select(read)
            meter.rows += count
            if meter.rows > self._max_rows:
                raise TooManyRows(self._max_rows)
            if count:
                meter.saw(read.applied_at_ms)
            if selected is not None:
                yield selected
