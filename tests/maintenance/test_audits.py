"""An audit is read as it was stored, whatever it counted; only what names a record is gone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.dialects.rollcall.audit import audit_body
from rollcall.domain.time.calendar import LAST_MS, parse_instant
from rollcall.maintenance.audits import KINDS, MAX_KEPT, Audit, Difference
from rollcall.storage import keys
from rollcall.storage.audits import audit_of_item, item_of_audit
from tests.support.openapi import Spec

pytestmark = pytest.mark.property


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
COUNTS = st.integers(0, 10**15)
INSTANTS = st.integers(0, LAST_MS)
DIFFERENCES = st.builds(
    Difference,
    kind=st.sampled_from(KINDS),
    epoch=st.integers(0, 10**6),
    subject=TEXTS,
    bucket=TEXTS,
    amount=st.integers(-(10**60), 10**60),
    since_ms=INSTANTS,
    is_repaired=st.booleans(),
    name=TEXTS,
)
AUDITS = st.builds(
    Audit,
    run_id=TEXTS,
    started_at_ms=INSTANTS,
    checked_at_ms=INSTANTS,
    finished_at_ms=st.none() | INSTANTS,
    is_repairing=st.booleans(),
    facts=COUNTS,
    rows=COUNTS,
    pages=COUNTS,
    rollups=COUNTS,
    drift=st.dictionaries(st.sampled_from(KINDS), COUNTS),
    repaired=COUNTS,
    unsettled=COUNTS,
    differences=st.lists(DIFFERENCES, max_size=MAX_KEPT + 5).map(tuple),
    cursor=st.none() | TEXTS,
)
KEY = keys.audit("org")


@given(AUDITS)
def test_what_is_stored_is_read(audit: Audit) -> None:
    nameless = tuple(replace(each, name="") for each in audit.differences[:MAX_KEPT])
    stored = item_of_audit(KEY, audit)
    assert audit_of_item(stored) == replace(audit, differences=nameless)
    assert {"M": {}} not in stored.values()


@given(AUDITS)
def test_a_name_leaves_no_trace(audit: Audit) -> None:
    named = replace(audit, differences=tuple(replace(d, name="⚠") for d in audit.differences))
    nameless = replace(audit, differences=tuple(replace(d, name="") for d in audit.differences))
    assert item_of_audit(KEY, named) == item_of_audit(KEY, nameless)
    assert audit_body(named, named) == audit_body(nameless, nameless)


@given(st.none() | AUDITS, st.none() | AUDITS)
def test_an_answer_fits_its_schema_and_says_nothing_before_a_run_is_over(
    last: Audit | None, running: Audit | None
) -> None:
    body = audit_body(last, running)
    spec = Spec.committed()
    assert spec.errors(spec.component("audit.LatestAudit"), body) == []
    figures = ("facts", "rows", "pages", "rollups", "drift", "repaired", "unsettled", "exact")
    if last is None or last.finished_at_ms is None:
        assert {body[name] for name in figures} == {None}  # type: ignore[literal-required]
        assert (body["drift_by_kind"], body["differences"]) == ({}, [])
        assert (body["last_run"], body["started_at"]) == (None, None)
    else:
        assert body["last_run"] is not None
        assert parse_instant(body["last_run"]) == last.finished_at_ms
        assert body["drift"] == sum(body["drift_by_kind"].values())
        assert body["exact"] == (body["drift"] == last.repaired and last.unsettled == 0)
        assert len(body["differences"]) == len(last.differences)
    assert (body["running"] is None) == (running is None)
