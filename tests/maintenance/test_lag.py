"""The lag of the stream, measured by a write that changes no answer."""

from __future__ import annotations

from typing import Any

import pytest

from rollcall.domain.errors import Conflict
from rollcall.domain.facts import Fact
from rollcall.domain.organisations import Organisation
from rollcall.maintenance.lag import Lag, MeasureLag
from rollcall.storage.probing import ProbeReads
from rollcall.storage.row_revisions import RowRevisions
from tests.support.builders import OMIT, full_call, lead
from tests.support.erasing import ANALYTICS, BACKOFF, RECORDS, Deployment

pytestmark = pytest.mark.engine


SECONDS_A_READ = 0.2


class Bench:
    """A deployment whose stream brings what was written once `reads` looks at the pages were made."""

    def __init__(self, reads: int, at: Deployment | None = None) -> None:
        self.at = at or Deployment()
        self.reads_left = reads
        self.seconds = 0.0
        self.reads = ProbeReads(self.at.client, RECORDS, BACKOFF)
        self.revisions = RowRevisions(self.at.client, ANALYTICS, BACKOFF)

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.reads_left -= 1
        if self.reads_left == 0:
            self.at.drain()

    def measure(self, *organisations: Organisation, wait_seconds: float = 30) -> Any:
        clock = lambda: self.seconds  # noqa: E731
        measure = MeasureLag(
            self.at.facts, self.reads, self.revisions, self.at.now_us, clock, self.sleep
        )
        return measure(organisations, wait_seconds)


def facts(at: Deployment) -> list[dict[str, Any]]:
    """The facts, without their revisions."""
    items = [dict(item) for item in at.items(RECORDS) if item["SK"]["S"].startswith("FACT#")]
    return [{name: value for name, value in item.items() if name != "rev"} for item in items]


@pytest.mark.parametrize("reads", [1, 7])
def test_the_lag_is_the_time_from_the_write_to_the_page(reads: int) -> None:
    bench = Bench(reads)
    organisation = bench.at.organisation()
    bench.at.put(organisation, full_call("1"), full_call("2"), lead("7"))
    bench.at.drain()
    stored, rollups = facts(bench.at), bench.at.rollups()
    lags = bench.measure(organisation)
    assert lags == {organisation.id: Lag(pytest.approx(reads * SECONDS_A_READ), True)}
    assert (facts(bench.at), bench.at.rollups()) == (stored, rollups)


def test_what_waits_in_the_stream_before_the_write_counts() -> None:
    """The page's own first revision is not enough, nor is a row that is not there yet."""
    bench = Bench(reads=3)
    organisation = bench.at.organisation()
    bench.at.put(organisation, full_call("1"))  # not drained
    lags = bench.measure(organisation)
    assert lags[organisation.id] == Lag(pytest.approx(3 * SECONDS_A_READ), True)


def test_a_stream_that_stands_still_is_behind_by_more_than_the_wait() -> None:
    bench = Bench(reads=-1)
    organisation = bench.at.organisation()
    bench.at.put(organisation, full_call("1"))
    bench.at.drain()
    lag = bench.measure(organisation, wait_seconds=5)[organisation.id]
    assert not lag.is_applied
    assert lag.seconds == pytest.approx(5, abs=SECONDS_A_READ)


def test_an_organisation_without_records_has_no_lag() -> None:
    bench = Bench(reads=1)
    first, second = bench.at.organisation("acme"), bench.at.organisation("empty")
    bench.at.put(first, full_call("1"))
    assert bench.measure(first, second).keys() == {first.id}
    assert bench.measure(second) == {}
    assert bench.measure() == {}


class Contested(ProbeReads):
    """Another writer changes each fact between the read and the write, as often as given."""

    def __init__(self, at: Deployment, times: int) -> None:
        super().__init__(at.client, RECORDS, BACKOFF)
        self._at = at
        self.times = times

    def some_fact(self, organisation: Organisation) -> Fact | None:
        found = super().some_fact(organisation)
        if self.times:
            self.times -= 1
            self._at.put(organisation, full_call("1", duration_seconds=self.times, updated_at=OMIT))
        return found


def test_a_fact_that_changes_meanwhile_is_read_again() -> None:
    bench = Bench(reads=1)
    organisation = bench.at.organisation()
    bench.at.put(organisation, full_call("1", duration_seconds=99, updated_at=OMIT))
    bench.reads = Contested(bench.at, times=3)
    assert bench.measure(organisation)[organisation.id].is_applied
    bench.reads = Contested(bench.at, times=1_000)
    with pytest.raises(Conflict):
        bench.measure(organisation)
