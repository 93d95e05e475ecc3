"""The demo's records: valid by the oracle, repeatable, and shaped like a call centre's month."""

import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from rollcall_cli.demo_data import demo_records
from tests.support.oracle import TYPES, Oracle, instant

NOW = datetime(2026, 11, 21, 15, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def records():
    return list(demo_records(seed=7, calls=2_000, days=30, now=NOW))


@pytest.fixture(scope="module")
def calls(records):
    return [record for record in records if record["type"] == "call"]


def test_every_record_is_valid_and_new(records):
    model = Oracle()
    now_ms = int(NOW.timestamp() * 1000)
    for start in range(0, len(records), 500):
        batch = records[start : start + 500]
        status, body = model.post(json.loads(json.dumps(batch)), now_ms)
        assert body["rejected"] == []
        assert (status, body["accepted"]) == (200, len(batch))


def test_same_seed_and_now_same_records(records):
    assert records == list(demo_records(7, 2_000, 30, NOW))
    assert records != list(demo_records(8, 2_000, 30, NOW))


def test_as_many_calls_as_asked_for_and_every_type(records, calls):
    assert len(calls) == 2_000
    assert {record["type"] for record in records} == set(TYPES)
    assert len({(record["type"], record["id"]) for record in records}) == len(records)


def test_calls_lie_in_the_days_asked_for_with_quiet_nights_and_weekends(calls):
    times = [datetime.fromisoformat(call["started_at"]) for call in calls]
    # A retry may come two days after the call that was not answered, never in the future.
    assert NOW - timedelta(days=30) <= min(times)
    assert max(times) < NOW
    hours = Counter(time.hour for time in times)
    assert hours[10] > 5 * hours[3]
    weekdays = Counter(time.weekday() for time in times)
    assert weekdays[1] > 2 * weekdays[6]


def test_retries_follow_a_call_that_was_not_answered(calls):
    by_lead: dict[str, list[dict]] = {}
    for call in calls:
        if "lead_id" in call:
            by_lead.setdefault(call["lead_id"], []).append(call)
    assert any(len(attempts) > 2 for attempts in by_lead.values())
    for attempts in by_lead.values():
        assert [call["attempt"] for call in attempts] == list(range(1, len(attempts) + 1))
        assert all(call["disposition"] == "need_retry" for call in attempts[:-1])
        times = [instant(call["started_at"], "started_at") for call in attempts]
        assert times == sorted(times)


def test_only_completed_calls_were_talked_in(calls):
    for call in calls:
        talked = {"duration_seconds", "sentiment", "outcome", "events", "labels"} & set(call)
        assert call["status"] == "completed" or not talked
        if call.get("disposition") in ("successful", "voicemail_left"):
            assert call["status"] == "completed"


@pytest.mark.parametrize("days", [1, 7])
def test_a_short_range_before_any_hour(days):
    midnight = datetime(2026, 11, 21, 0, 0, 1, tzinfo=UTC)
    records = list(demo_records(1, 50, days, midnight))
    starts = [record["started_at"] for record in records if record["type"] == "call"]
    assert len(starts) == 50
    assert max(starts) < "2026-11-21T00:00:01.000Z"


def test_refuses_a_now_without_offset():
    with pytest.raises(ValueError, match="offset"):
        next(demo_records(1, 1, 1, datetime(2026, 1, 1)))


def test_a_few_calls_say_what_was_said_with_numbers_of_stories(calls):
    with_detail = [call for call in calls if "detail" in call]
    assert len(calls) / 50 < len(with_detail) < len(calls) / 10
    numbers = {
        call["detail"][name] for call in with_detail for name in ("from_number", "to_number")
    }
    assert all(re.fullmatch(r"\+155501[0-9]{2}", number) for number in numbers)
    for call in with_detail:
        said = call["detail"]["transcript"]
        assert [turn["role"] for turn in said[:2]] == ["agent", "user"]
        assert said[-1]["at_seconds"] < 60
        assert call["status"] == "completed"
