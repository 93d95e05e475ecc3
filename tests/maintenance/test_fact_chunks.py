"""Chunks: together they hold every fact once, wherever the reading was resumed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.facts import Fact
from rollcall.domain.organisations import Organisation, current_org_id
from rollcall.domain.records import RECORD_TYPES
from rollcall.maintenance.fact_chunks import read_chunk

pytestmark = pytest.mark.property


@dataclass
class Page:
    facts: list[Fact]
    damaged: list[str]
    last: str | None


class Facts:
    """Facts by partition; of each, the name and whether it is damaged. `page` is their number a page."""

    def __init__(self, partitions: dict[tuple[str, int], dict[str, bool]], page: int) -> None:
        self.partitions = partitions
        self.page = page

    def listed(
        self, org_id: str, bucket: int, record_type: str, after: str | None = None
    ) -> Iterator[Page]:
        assert current_org_id() == org_id == "org"
        stored = self.partitions.get((record_type, bucket), {})
        names = sorted(name for name in stored if after is None or name > after)
        while True:
            now, names = names[: self.page], names[self.page :]
            facts = [Fact(record_type, n, None, 1, 1, None) for n in now if not stored[n]]
            damaged = [name for name in now if stored[name]]
            yield Page(facts, damaged, now[-1] if names else None)
            if not names:
                return


partitions = st.dictionaries(
    st.tuples(st.sampled_from(sorted(RECORD_TYPES)), st.integers(0, 2)),
    st.dictionaries(st.text("ab/#", min_size=1, max_size=4), st.booleans(), max_size=8),
    max_size=5,
)


@given(partitions, st.integers(1, 4), st.integers(1, 6))
def test_every_fact_is_in_one_chunk(stored: Any, page: int, most: int) -> None:
    facts: Any = Facts(stored, page)
    organisation = Organisation("org", "h", "n", 0, buckets=3)
    found: list[tuple[str, str]] = []
    cursor: str | None = None
    while True:
        chunk = read_chunk(facts, organisation, cursor, most)
        found += [(fact.type, fact.id) for fact in chunk.facts] + chunk.damaged
        # Up to a page more than asked for, of one partition.
        assert len(chunk.facts) < most + page
        assert (
            len({name for name, _ in [*((f.type, f.id) for f in chunk.facts), *chunk.damaged]}) <= 1
        )
        cursor = chunk.cursor
        if cursor is None:
            break
    expected = [(name, id) for (name, _), ids in stored.items() for id in ids]
    assert sorted(found) == sorted(expected)


def test_an_organisation_without_facts_is_one_empty_chunk() -> None:
    facts: Any = Facts({}, 5)
    chunk = read_chunk(facts, Organisation("org", "h", "n", 0), None, 10)
    assert (chunk.facts, chunk.damaged, chunk.cursor) == ([], [], None)
