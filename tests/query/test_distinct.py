"""Distinct leads, by day and in total, against sets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.records import Call
from rollcall.domain.time.calendar import MS_PER_DAY
from rollcall.ledger.page import Row, Rows
from rollcall.query import distinct
from rollcall.query.distinct import DistinctLeads
from rollcall.query.filtering import Selected

pytestmark = pytest.mark.property

calls = st.tuples(st.integers(0, 3), st.none() | st.sampled_from("abcdef"), st.booleans())
# A page of which no row is selected is never added.
pages = st.lists(
    st.lists(calls, max_size=8).filter(lambda page: any(is_selected for _, _, is_selected in page)),
    max_size=6,
)


def selected(page: list[tuple[int, str | None, bool]]) -> Selected:
    rows = Rows.empty("call").with_rows(
        {},
        [
            Row(
                f"{n:02d}",
                1,
                day * MS_PER_DAY,
                Call(day * MS_PER_DAY, "busy", lead_id=lead, answered=False, attempt=1),
            )
            for n, (day, lead, _) in enumerate(page)
        ],
    )
    chosen = {f"{n:02d}" for n, (_, _, is_selected) in enumerate(page) if is_selected}
    indices = [n for n, id in enumerate(rows.ids()) if id in chosen]
    return Selected(rows, None if len(indices) == len(page) else np.array(indices, dtype=np.intp))


@given(pages, st.sampled_from([1, 4, 2**18]))
def test_each_lead_counts_once_a_day_and_once_in_total(
    pages: list[list[tuple[int, str | None, bool]]], chunk: int
) -> None:
    leads = DistinctLeads()
    by_day: dict[int, set[str]] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distinct, "CHUNK_ROWS", chunk)  # numbers are put together early
        for page in pages:
            leads.add(selected(page))
            for day, lead, is_selected in page:
                if is_selected and lead is not None:
                    by_day.setdefault(day, set()).add(lead)
    assert leads.by_day() == {day: len(found) for day, found in by_day.items()}
    assert leads.whole == len(set().union(*by_day.values()))
