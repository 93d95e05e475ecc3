"""The metrics of every function, on every sample event, compared with what the function did."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from rollcall.query.filtering import RowFilter
from rollcall.settings import settings
from rollcall.storage.row_revisions import RowRevisions
from tests.sample_events.answering import sample_events
from tests.sample_events.documents import FUNCTIONS, NOW_MS, REQUEST_ID
from tests.support.emf import Metrics, logged, metrics_in

COUNTS_NOTHING = {
    "authorize_request",
    "list_organisations",
    "get_audit",
    "get_health",
    "get_schema",
    "list_hooks",
}
COUNTS_ELSEWISE = {
    "ingest_records",
    "update_rollups",
    "reconcile_organisations",
    "merge_pages",
    "receive_hook",
    "sweep_hooks",
    "replay_deliveries",  # as `receive_hook` does, and the seed has nothing that waits
}
READING = set(FUNCTIONS) - COUNTS_NOTHING - COUNTS_ELSEWISE
MS_PER_HOUR = 3_600_000
NAMES = {path: f"{path.parent.name}/{path.stem}" for path in sample_events()}


def events(*functions: str) -> Any:
    chosen = [path for path in NAMES if path.parent.name in functions]
    return pytest.mark.parametrize("path", chosen, ids=NAMES.get)


def only_line(printed: str) -> Metrics:
    (line,) = metrics_in(printed)
    assert (line.namespace, line.dimensions) == ("Rollcall", {"service": settings.service})
    assert line.properties.keys() == {"correlation_id", "level"}
    assert all(amount >= 0 for amount in line.values.values())
    return line


@events(*COUNTS_NOTHING)
def test_functions_without_metrics_print_none(functions, path: Path) -> None:
    _, printed = functions.printed(path)
    assert metrics_in(printed) == []


@events("ingest_records")
def test_records_are_counted_as_the_answer_counts_them(functions, path: Path) -> None:
    answered, printed = functions.printed(path)
    body = json.loads(answered["body"])
    if answered["statusCode"] == 400:
        assert metrics_in(printed) == []
        return
    line = only_line(printed)
    assert line.properties["correlation_id"] == REQUEST_ID
    assert line.values == {
        "RecordsAccepted": body["accepted"],
        "RecordsRejected": len({entry["index"] for entry in body["rejected"]}),
    }


@events("update_rollups")
def test_batches_are_counted_as_they_are_applied(functions, path: Path) -> None:
    began = time.time()
    answered, printed = functions.printed(path)
    ended = time.time()
    answer = json.loads(path.with_suffix(".answer.json").read_text("utf-8"))
    line = only_line(printed)
    freshness = line.values.pop("Freshness")
    assert max(0, began - NOW_MS / 1_000) <= freshness <= max(0, ended - NOW_MS / 1_000)
    assert answered == {"batchItemFailures": []}
    assert line.values == {"RecordsQuarantined": len(answer["quarantined"]), "ApplyFailures": 0}


@pytest.mark.slow
@events("reconcile_organisations")
def test_drift_is_counted_as_the_audits_report_it(functions, path: Path) -> None:
    # The sample batches hold rows of facts that were never stored: the audit finds them.
    for batch in sample_events():
        if batch.parent.name == "update_rollups":
            functions.printed(batch)
    functions.clock.now_ms += 48 * MS_PER_HOUR  # any audit so far is too old
    with logged() as lines:
        answered, printed = functions.printed(path)
    audited = [line for line in lines if line["message"] == "audited"]
    assert len(audited) == answered["finished"] > 0
    drift = sum(each["drift"] - each["repaired"] for each in audited)
    line = only_line(printed)
    assert line.values == {"Drift": drift, "DriftRepaired": 0, "RollupsUnverified": 0}
    assert drift > 0
    assert {each["correlation_id"] for each in lines} == {line.properties["correlation_id"]}


@events("receive_hook")
def test_requests_that_are_not_authentic_are_counted(functions, path: Path) -> None:
    answered, printed = functions.printed(path)
    if answered["statusCode"] == 413:
        assert metrics_in(printed) == []
        return
    assert answered["statusCode"] == 401
    assert only_line(printed).values == {"DeliveriesRefused": 1}


@events("merge_pages")
def test_merged_pages_are_counted_as_the_answer_counts_them(functions, path: Path) -> None:
    answered, printed = functions.printed(path)
    assert only_line(printed).values == {"PagesMerged": answered["pages"]}


@events("sweep_hooks")
def test_swept_calls_are_counted_as_the_answer_counts_them(functions, path: Path) -> None:
    answered, printed = functions.printed(path)
    assert only_line(printed).values == {"CallsSwept": answered["swept"]}


@events(*READING)
def test_rows_are_counted_as_they_are_read(functions, path: Path) -> None:
    rows: list[int] = []

    def select(self: RowFilter, read: Any) -> Any:
        count, selected = original(self, read)
        rows.append(count)
        return count, selected

    def page_at(self: RowRevisions, *place: Any) -> Any:
        page = original_page(self, *place)
        if page is not None:
            rows.append(len(page.rows))
        return page

    original, original_page = RowFilter.select, RowRevisions._page_at
    with (
        patch.object(RowFilter, "select", select),
        patch.object(RowRevisions, "_page_at", page_at),
    ):
        answered, printed = functions.printed(path)
    if answered["statusCode"] != 200 and not metrics_in(printed):
        assert rows == []  # refused before anything was read
        return
    line = only_line(printed)
    assert line.properties["correlation_id"] == REQUEST_ID
    assert line.values == {"RowsScanned": sum(rows)}
    assert answered["headers"].get("X-Rollcall-Source") != "rollups" or not rows


def test_some_events_read_rows_and_some_do_not(functions) -> None:
    scanned = {
        line.values["RowsScanned"] > 0
        for path in NAMES
        if path.parent.name in READING
        for line in metrics_in(functions.printed(path)[1])
    }
    assert scanned == {True, False}
