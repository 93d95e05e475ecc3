"""A call is the same for any order of its events and any repetition."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from random import Random

import pytest

from rollcall.api import strict_json
from rollcall.api.records.documents import parse_record
from rollcall.domain.errors import CorruptItem
from rollcall.domain.validation import MAX_DETAIL_BYTES
from rollcall.hooks.delivery import Unmappable
from rollcall.hooks.events import Event
from rollcall.hooks.maps import PROVIDERS, unfinished_values
from rollcall.hooks.state import CallState
from tests.long_run import HOOKS, ask_many
from tests.support.answering import deployed
from tests.support.hook_agreement import NOW_MS, check_orders
from tests.support.hook_events import call_of, event_of

CALLS = 200


def fold(events: Iterable[Event]) -> CallState:
    state = CallState()
    for event in events:
        state = state.folded(event)
    return state


def in_every_order(events: Sequence[Event]) -> CallState:
    """The state after these events; fails if another order of some of them has another state.

    The state after a set of events is that after all but one of them, folded with the last. So if it
    is the same whichever came last, for each set, then it is the same for each order.
    """
    places = range(len(events))
    states = {frozenset[int](): CallState()}
    for size in range(1, len(events) + 1):
        for some in map(frozenset, itertools.combinations(places, size)):
            ends = [states[some - {last}].folded(events[last]) for last in some]
            assert all(end == ends[0] for end in ends)
            states[some] = ends[0]
    return states[frozenset(places)]


def brute_force(events: Iterable[Event]) -> dict[str, str]:
    """The value of each field by looking at all events at once, and the time, without folding."""
    distinct = {event.digest: event for event in sorted(events, key=lambda event: event.time_ms)}
    ordered = sorted(distinct.values(), key=lambda event: (event.rank, event.time_ms, event.digest))
    values: dict[str, str] = {}
    for event in ordered:
        values.update(event.values)
    return values


@pytest.mark.representatives(3)
@pytest.mark.property
@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_order_ends_in_the_same_call(provider):
    records, details = set(), 0
    for seed in range(CALLS):
        events = [event_of(provider, sent) for sent in call_of(provider, Random(seed))]
        expected = in_every_order(events)
        assert fold(events) == expected, seed
        record = expected.record("call-1")
        if record is not None:
            records.add(record)
            document = strict_json.loads(record)
            parse_record(document)
            values = {name: json.loads(text) for name, text in brute_force(events).items()}
            assert values == {
                name: json.loads(stamped.value) for name, stamped in expected.fields.items()
            }
            said = {n.removeprefix("detail."): v for n, v in values.items() if "detail." in n}
            assert json.loads(record).get("detail", {}) == said
            details += bool(said)
    assert len(records) > 5
    assert (details > 0) is (provider in ("vapi", "retell", "elevenlabs", "bland"))


@pytest.mark.representatives(2)
@pytest.mark.property
@pytest.mark.parametrize("provider", PROVIDERS)
def test_shuffles_with_repetitions_end_in_the_same_call(provider):
    random = Random(11)
    sent = [each for seed in range(4) for each in call_of(provider, Random(seed), most=9)]
    events = [event_of(provider, each) for each in sent]
    expected = fold(events).to_text()
    for _ in range(1_000):
        order = [*events, *random.choices(events, k=random.randrange(10))]
        random.shuffle(order)
        assert fold(order).to_text() == expected


@pytest.mark.representatives(3)
@pytest.mark.property
@pytest.mark.parametrize(
    ("calls", "shuffles"),
    [(8, 20), pytest.param(CALLS, 1_000, marks=pytest.mark.slow)],
    ids=["some", "many"],
)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_records_of_every_order_end_in_the_same_fact(provider, calls, shuffles):
    """Byte for byte, although each order writes other records on the way."""
    for seed in range(calls):
        check_orders(provider, call_of(provider, Random(seed)))
    longer = [each for seed in range(4) for each in call_of(provider, Random(seed), most=9)]
    assert check_orders(provider, longer, shuffles=shuffles) == shuffles


@pytest.mark.slow
@pytest.mark.property
def test_answers_do_not_depend_on_the_order_of_deliveries():
    """In all four dialects and `POST /v1/query`; `python -m tests.long_run --of hooks` asks more."""
    with deployed(NOW_MS) as deployment:
        seen = ask_many(deployment, HOOKS, 3, datasets=4, queries=1)
    asked = {function for _, function in seen}
    assert {"get_organisation_analytics", "query_analytics", "get_workspace_analytics"} <= asked
    assert asked & {"get_inbound_analytics", "get_outbound_analytics", "get_pearl_analytics"}
    assert "query" in asked


def event(rank: int, time_ms: int, digest: str, **values: str) -> Event:
    return Event("c", rank, time_ms, digest * 64, {n: json.dumps(v) for n, v in values.items()})


def test_a_later_event_never_takes_away():
    state = fold([event(4, 5, "a", outcome="sold"), event(5, 6, "b", status="completed")])
    assert {n: s.value for n, s in state.fields.items()} == {
        "outcome": '"sold"',
        "status": '"completed"',
    }


@pytest.mark.parametrize(
    ("first", "second", "wins"),
    [
        (event(4, 9, "f", status="a"), event(5, 1, "a", status="b"), "b"),
        (event(4, 9, "a", status="a"), event(4, 8, "f", status="b"), "a"),
        (event(4, 9, "a", status="a"), event(4, 9, "b", status="b"), "b"),
    ],
)
def test_rank_then_time_then_digest_decides(first, second, wins):
    for order in ([first, second], [second, first]):
        assert json.loads(fold(order).fields["status"].value) == wins


def test_each_event_more_makes_a_later_version():
    """Two events of one instant: the second must win over the record of the first."""
    start = {"started_at": "2026-11-21T12:00:00.000Z"}
    one = fold([event(3, 5, "a", status="in_progress", **start)])
    two = one.folded(event(4, 5, "b", status="completed"))
    versions = [json.loads(state.record("c") or b"") for state in (one, two)]
    assert [v["updated_at"][-5:] for v in versions] == [".005Z", ".006Z"]
    again = two.folded(event(4, 5, "b", status="completed"))
    assert again == two


def test_a_repetition_that_changes_the_call_makes_a_later_version():
    """An event without a time has that of its signature, and a repetition is signed again."""
    start = {"started_at": "2026-11-21T12:00:00.000Z", "status": "completed"}
    first, other = event(5, 5, "a", outcome="one", **start), event(5, 7, "b", outcome="two")
    known = fold([first, other, event(3, 10, "c")])
    changed = known.folded(replace(first, time_ms=8))
    versions = [json.loads(state.record("c") or b"") for state in (known, changed)]
    assert [version["outcome"] for version in versions] == ["two", "one"]
    assert versions[0]["updated_at"] < versions[1]["updated_at"]


def test_a_call_without_a_start_has_no_record_yet():
    assert fold([event(3, 5, "a", status="in_progress")]).record("c") is None


def test_what_needs_another_field_waits_for_it():
    start = {"started_at": "2026-11-21T12:00:00.000Z", "status": "completed"}
    state = fold([event(3, 5, "a", campaign_id="7", **start)])
    assert "campaign_id" not in json.loads(state.record("c") or b"")
    state = state.folded(event(3, 5, "b", direction="inbound"))
    assert json.loads(state.record("c") or b"")["campaign_id"] == "7"


PRESUMED = {"status": '"failed"', "disposition": '"error"'}


@pytest.mark.representatives(2)
@pytest.mark.property
@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_is_presumed_commutes_with_every_event(provider):
    """A sweep at any time, and any number of them, end in the same call."""
    ended = 0
    for seed in range(50):
        events = [event_of(provider, sent) for sent in call_of(provider, Random(seed))]
        expected = fold(events).presuming(PRESUMED)
        for at in range(len(events) + 1):
            state = fold(events[:at]).presuming(PRESUMED)
            for each in events[at:]:
                state = state.folded(each).presuming(PRESUMED)
            assert state == expected
            assert CallState.of_text(state.to_text()) == state
        plain, record = fold(events).record("call-1"), expected.record("call-1")
        if record is None:
            continue
        documents = [json.loads(plain or b""), json.loads(record)]
        assert documents[0].pop("updated_at") < documents[1].pop("updated_at")
        if fold(events).has_ended:
            ended += 1
            assert documents[0] == documents[1]
        else:
            assert documents[1] == documents[0] | {"status": "failed", "disposition": "error"}
    assert ended > 0


def test_a_real_end_takes_all_that_was_presumed_away():
    start = {"started_at": "2026-11-21T12:00:00.000Z"}
    state = fold([event(3, 5, "a", status="in_progress", **start)])
    assert (state.has_ended, state.open_since_ms) == (False, 5)
    swept = state.presuming(PRESUMED)
    assert (swept.has_ended, swept.open_since_ms) == (False, 5)
    assert swept.presuming(PRESUMED) == swept
    late = swept.folded(event(3, 9, "b", status="in_progress"))
    assert json.loads(late.record("c") or b"")["status"] == "failed"
    document = json.loads(late.folded(event(4, 10, "c", status="completed")).record("c") or b"")
    assert document["status"] == "completed"
    assert "disposition" not in document


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_a_provider_presumes_is_a_record(provider):
    start = {"started_at": "2026-11-21T12:00:00.000Z", "status": "in_progress"}
    values = unfinished_values(provider)
    assert bool(values) is (provider == "livekit")
    record = fold([event(3, 5, "a", **start)]).presuming(values).record("c") or b""
    parse_record(strict_json.loads(record))


def said(event_digest: str, rank: int = 5, **parts: str) -> Event:
    """An event with parts of a detail."""
    made = event(rank, 5, event_digest, started_at="2026-11-21T12:00:00Z", status="completed")
    added = {f"detail.{name}": value for name, value in parts.items()}
    return replace(made, values={**made.values, **added})


def transcript(size: int) -> str:
    """The JSON of a transcript of so many bytes."""
    turn = '[{"role":"a","text":"%s"}]'
    return turn % ("x" * (size - len(turn % "")))


def test_of_a_detail_that_is_too_long_the_longest_parts_are_left_out():
    """Each part alone has a size that a record may have."""
    words = MAX_DETAIL_BYTES - len('{"summary":"short","transcript":}')
    events = [
        said("a", transcript=transcript(words)),
        said("b", summary='"short"'),
        said("c", 4, recording_url='"https://a.example/r"'),
    ]
    document = json.loads(fold(events[:2]).record("c") or b"")
    assert set(document["detail"]) == {"summary", "transcript"}
    parse_record(strict_json.loads(fold(events[:2]).record("c") or b""))
    for order in itertools.permutations(events):
        record = json.loads(fold(order).record("c") or b"")
        assert record["detail"] == {"summary": "short", "recording_url": "https://a.example/r"}
    longer = said("a", transcript=transcript(words + 1))
    assert set(json.loads(fold([longer, events[1]]).record("c") or b"")["detail"]) == {"summary"}


def test_the_text_of_a_state():
    state = fold([event(4, 5, "a", outcome="Grüße"), event(5, 6, "b", status="completed")])
    assert CallState.of_text(state.to_text()) == state
    presumed = state.presuming({"status": '"failed"'})
    assert CallState.of_text(presumed.to_text()) == presumed
    for text in ("", "[]", "{}", '{"fields":{"a":[1]},"digests":[],"latest_ms":0}'):
        with pytest.raises(CorruptItem):
            CallState.of_text(text)


def test_a_call_has_a_bounded_number_of_events():
    state = CallState({}, frozenset(str(n) for n in range(5_000)), 5)
    with pytest.raises(Unmappable, match="more than 5,000 events"):
        state.folded(event(3, 5, "a"))
