"""What an invocation logs and counts: ids in every line, and metrics as CloudWatch extracts them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from rollcall.api.endpoint import endpoint
from rollcall.api.http import Request, Response, json_response
from rollcall.domain.contributions import CURRENT_VERSION, contribution_function
from rollcall.domain.errors import TooManyRows, Unavailable
from rollcall.domain.organisations import Token
from rollcall.domain.records import Call
from rollcall.ingest.token_use import RecordUse
from rollcall.ingest.update import Cause, Failure, Quarantined, Result
from rollcall.invocation import Metric, count, invocation
from rollcall.lambdas.schedule import AuditsFailed, log_visits
from rollcall.lambdas.stream import partial_batch_response
from rollcall.ledger import rollups
from rollcall.ledger.apply import Applier
from rollcall.ledger.page import Row
from rollcall.maintenance.audits import Audit
from rollcall.maintenance.reconcile.schedule import Outcome, Visit
from rollcall.settings import BadSetting, Settings, settings
from rollcall.telemetry import logger, observed
from tests.support.emf import Metrics, logged, metrics_in
from tests.support.fakes import MemoryLedger

CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 15_000)


@pytest.fixture
def emitted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[], list[Metrics]]:
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "false")
    return lambda: metrics_in(capsys.readouterr().out)


Emitted = Callable[[], list[Metrics]]


def values(emitted: Emitted) -> dict[str, float]:
    (line,) = emitted()
    return line.values


# ------------------------------------------------------------------ an invocation
def test_an_invocation_emits_one_line_with_one_dimension(emitted: Emitted) -> None:
    with observed("id-1"):
        count(Metric.RECORDS_ACCEPTED, 2)
        count(Metric.RECORDS_ACCEPTED, 3)
        count(Metric.RECORDS_REJECTED, 0)
        count(Metric.FRESHNESS, 1.5)
    (line,) = emitted()
    assert line == Metrics(
        "Rollcall",
        {"service": settings.service},
        {"RecordsAccepted": 5, "RecordsRejected": 0, "Freshness": 1.5},
        {"RecordsAccepted": "Count", "RecordsRejected": "Count", "Freshness": "Seconds"},
        {"correlation_id": "id-1", "level": settings.log_level},
    )


def test_an_invocation_that_counts_nothing_emits_nothing(emitted: Emitted) -> None:
    with observed("id-1"):
        pass
    assert emitted() == []


def test_an_invocation_that_fails_emits_what_it_counted(emitted: Emitted) -> None:
    def fails() -> None:
        with observed("id-1"):
            count(Metric.DRIFT, 1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert values(emitted) == {"Drift": 1}


def test_outside_of_an_invocation_nothing_is_counted(emitted: Emitted) -> None:
    count(Metric.DRIFT, 1)
    with observed("id-1"):
        count(Metric.DRIFT, 2)
    count(Metric.DRIFT, 4)
    assert values(emitted) == {"Drift": 2}
    with logged() as lines:
        logger.warning("outside")
    assert [line.get("correlation_id") for line in lines] == [None]


def test_invocations_at_the_same_time_do_not_mix(emitted: Emitted) -> None:
    together = threading.Barrier(4)

    def run(number: int) -> None:
        with observed(f"id-{number}"):
            together.wait(timeout=30)
            count(Metric.RECORDS_ACCEPTED, number)
            logger.warning("line", extra={"number": number})
            together.wait(timeout=30)

    with logged() as lines, ThreadPoolExecutor(4) as executor:
        list(executor.map(run, range(4)))
    assert {line["correlation_id"]: line["number"] for line in lines} == {
        f"id-{number}": number for number in range(4)
    }
    counted = {line.properties["correlation_id"]: line.values for line in emitted()}
    assert counted == {f"id-{number}": {"RecordsAccepted": number} for number in range(4)}


@pytest.mark.parametrize("service", ["", " ", "x" * 256])
def test_a_service_that_is_no_dimension_is_refused(service: str) -> None:
    with pytest.raises(BadSetting, match="ROLLCALL_SERVICE"):
        Settings.from_environment({"ROLLCALL_SERVICE": service})


# ------------------------------------------------------------------ requests
def answered(answer: Callable[[Request], Response]) -> int:
    context = {
        "requestId": "gateway-1",
        "authorizer": {"org_id": "o", "org_handle": "h", "epoch": "0"},
    }
    handler = endpoint(lambda status, *message: {"status": status})(answer)
    return int(handler({"requestContext": context}, CONTEXT)["statusCode"])


def read(request: Request, rows: int) -> None:
    request.reading.meter.count(1, 0.5)
    request.reading.meter.rows += rows


def test_rows_are_counted_whatever_the_answer(emitted: Emitted) -> None:
    def answers(request: Request) -> Response:
        read(request, 7)
        return json_response(200, {})

    def refuses(request: Request) -> Response:
        read(request, 2_000_001)
        raise TooManyRows(2_000_000)

    def fails(request: Request) -> Response:
        read(request, 3)
        raise Unavailable("busy")

    for answer, status, rows in ((answers, 200, 7), (refuses, 503, 2_000_001), (fails, 503, 3)):
        assert answered(answer) == status
        (line,) = emitted()
        assert line.values == {"RowsScanned": rows}
        assert line.properties["correlation_id"] == "gateway-1"


def test_a_request_that_reads_no_analytics_counts_no_rows(emitted: Emitted) -> None:
    assert answered(lambda request: json_response(200, {})) == 200
    assert emitted() == []


def test_an_unexpected_error_is_logged_with_the_id_of_the_request() -> None:
    def fails(request: Request) -> Response:
        raise ZeroDivisionError

    with logged() as lines:
        assert answered(fails) == 500
    (line,) = lines
    assert (line["message"], line["correlation_id"]) == ("unexpected error", "gateway-1")


def test_a_warning_of_a_thread_beside_the_request_has_the_id_of_the_request() -> None:
    def warn(error: BaseException) -> None:
        logger.warning("use of a token not recorded")

    class Tokens:
        def record_use(self, token_id: str, hour_ms: int) -> None:
            released.wait(timeout=30)
            raise Unavailable("busy")

    released = threading.Event()
    with logged() as lines, ThreadPoolExecutor(1) as executor:
        record = RecordUse(Tokens(), executor, lambda: 1_800_000_000_000, warn)
        with invocation("gateway-1"):
            record(Token("f" * 64, "org_1", ("read",), 0))
        with invocation("gateway-2"):
            released.set()
    assert [line["correlation_id"] for line in lines] == ["gateway-1"]


# ------------------------------------------------------------------ the stream
def batch(*ages: float | None) -> list[dict[str, Any]]:
    """Records with their sequence numbers; None has no time."""
    now = time.time()
    return [
        {
            "dynamodb": {"SequenceNumber": str(number)}
            | ({} if age is None else {"ApproximateCreationDateTime": now - age})
        }
        for number, age in enumerate(ages)
    ]


def report(records: Sequence[dict[str, Any]], result: Result) -> None:
    with observed("lambda-1"):
        partial_batch_response(records, result)


def test_quarantined_records_are_counted_not_their_groups(emitted: Emitted) -> None:
    result = Result(
        quarantined=[
            Quarantined((0, 2), "a", Cause.LEDGER, "damaged", "object"),
            Quarantined((1,), None, Cause.RECORD, "damaged", "object"),
        ]
    )
    with logged() as lines:
        report(batch(None, None, None), result)
    assert values(emitted) == {"RecordsQuarantined": 3, "ApplyFailures": 0}
    assert [(line["message"], line["records"]) for line in lines] == [
        ("quarantined", 2),
        ("quarantined", 1),
    ]
    assert {line["correlation_id"] for line in lines} == {"lambda-1"}


def test_freshness_is_the_age_of_the_oldest_record_that_need_not_come_back(
    emitted: Emitted,
) -> None:
    failures = [Failure(2, "a", Unavailable("busy")), Failure(3, "b", Unavailable("busy"))]
    report(batch(5, 60, 3_600, 7_200), Result(failures=failures))
    counted = values(emitted)
    assert counted.pop("Freshness") == pytest.approx(60, abs=30)
    assert counted == {"RecordsQuarantined": 0, "ApplyFailures": 2}


def test_without_an_applied_record_there_is_no_freshness(emitted: Emitted) -> None:
    report(batch(60), Result(failures=[Failure(0, "a", Unavailable("busy"))]))
    assert values(emitted) == {"RecordsQuarantined": 0, "ApplyFailures": 1}


def test_a_record_from_the_future_is_fresh(emitted: Emitted) -> None:
    report(batch(-3_600), Result())
    assert values(emitted)["Freshness"] == 0


def test_each_breakdown_is_reported_once_when_it_spills(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollups, "BREAKDOWN_LIMIT_BYTES", 1_000)
    store, spilled = MemoryLedger(), list[int]()
    contribute = contribution_function(CURRENT_VERSION)

    def apply(first: int, end: int) -> None:
        rows = [
            (
                "call",
                Row(
                    f"c{n}",
                    n + 1,
                    n,
                    Call(n, "completed", answered=False, attempt=1, outcome=f"{n}" * 40),
                ),
            )
            for n in range(first, end)
        ]
        Applier(store, contribute, on_spill=spilled.append).apply(rows)

    apply(0, 20)
    assert spilled == []
    apply(20, 3_000)
    assert sum(spilled) == sum(len(rollup.spilled) for rollup in store.stored.values()) > 0
    before = list(spilled)
    apply(3_000, 3_050)
    assert spilled == before


# ------------------------------------------------------------------ the schedule
def audit(**fields: Any) -> Audit:
    return Audit("run", 1, 1, 1, **fields)


def test_drift_is_counted_as_it_is_logged(emitted: Emitted) -> None:
    visits = [
        Visit(
            "a", Outcome.FINISHED, audit(drift={"row_missing": 3, "page_missing": 1}, repaired=1)
        ),
        Visit("b", Outcome.UNFINISHED, audit(drift={"row_missing": 2}, repaired=2, unsettled=5)),
        Visit("c", Outcome.FAILED, error=Unavailable("busy")),
        Visit("d", Outcome.WAITING),
    ]
    with logged() as lines, pytest.raises(AuditsFailed), observed("lambda-1"):
        log_visits(visits)
    assert values(emitted) == {"Drift": 3, "DriftRepaired": 3, "RollupsUnverified": 5}
    assert {line["correlation_id"] for line in lines} == {"lambda-1"}


def test_an_exact_audit_counts_no_drift(emitted: Emitted) -> None:
    with observed("lambda-1"):
        log_visits([Visit("a", Outcome.FINISHED, audit())])
    assert values(emitted) == {"Drift": 0, "DriftRepaired": 0, "RollupsUnverified": 0}
