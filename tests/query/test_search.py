"""A search finds the calls that the query counts, each once, while other calls are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
from random import Random
from threading import Lock
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall import bootstrap
from rollcall.storage.ledger_walk import LedgerWalk
from tests.support.answering import Deployment, deployed
from tests.support.builders import call, deletion
from tests.support.cases import cases
from tests.support.query_agreement import organisation_with
from tests.support.query_generator import generate
from tests.support.query_oracle import QueryOracle
from tests.support.query_records import Content

pytestmark = pytest.mark.property

NOW_MS = 1_900_000_000_000
# A search reads its buckets at once. Where a test writes at each read, the updater needs threads of the
# same pool, so the reads must leave some.
FEW_BUCKETS = (1, 3)


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    with deployed(NOW_MS) as made:
        yield made


def pages(deployment: Deployment, org_id: str, body: Content) -> Iterator[list[Content]]:
    """The calls of each page."""
    asked = dict(body)
    while True:
        answer = deployment.ask("search_calls", org_id, body=asked)
        assert answer.status == 200, answer.text
        yield answer.body["calls"]
        if answer.body["next"] is None:
            return
        assert len(answer.body["calls"]) == body.get("limit", 50)
        asked = {**body, "cursor": answer.body["next"]}


def everything(deployment: Deployment, org_id: str, body: Content) -> list[Content]:
    return [found for page in pages(deployment, org_id, body) for found in page]


def counted(deployment: Deployment, org_id: str, body: Content) -> int:
    asked = {name: body[name] for name in body if name not in ("order", "limit")}
    answer = deployment.ask("query_records", org_id, body={**asked, "measures": ["calls"]})
    (row,) = answer.body["rows"]
    return int(row["calls"])


def normalised(document: Content) -> Content:
    """A call as it is shown: as it was sent, its labels in order, and without counts of nothing."""
    result = dict(document)
    if "labels" in result:
        result["labels"] = sorted(result["labels"], key=str)
    events = {name: count for name, count in result.pop("events", {}).items() if count}
    return {**result, **({"events": events} if events else {})}


def in_time(calls: Sequence[Content]) -> list[Content]:
    """Calls of one instant in one order: that of a search follows from hashes."""
    return sorted(calls, key=lambda each: (each["started_at"], str(each["id"])))


randoms = st.integers(0, 2**32).map(Random)


def test_conditions_that_exclude_each_other_find_no_call(deployment: Deployment) -> None:
    org_id = deployment.organisation([call("1", outcome="a")])
    both = [{"field": "outcome", "op": "eq", "value": each} for each in "ab"]
    assert everything(deployment, org_id, {"filters": both}) == []


def test_a_call_whose_newest_version_does_not_match_is_left_out(deployment: Deployment) -> None:
    """Its page still has the version before."""
    org_id = deployment.organisation([call("1", outcome="a"), call("2", outcome="a")])
    nothing = SimpleNamespace(failures=[])
    with patch.object(bootstrap, "update", lambda: lambda _records: nothing):
        deployment.add([call("1", outcome="b")])
    body = {"filters": [{"field": "outcome", "op": "eq", "value": "a"}]}
    assert [each["id"] for each in everything(deployment, org_id, body)] == ["2"]


@pytest.mark.slow
@cases(5)
@given(random=randoms)
def test_a_search_finds_what_brute_force_finds(deployment: Deployment, random: Random) -> None:
    check_at_rest(deployment, random)


@pytest.mark.slow
@cases(80)
@given(random=randoms)
def test_searches_of_many_datasets(deployment: Deployment, random: Random) -> None:
    check_at_rest(deployment, random)


def check_at_rest(deployment: Deployment, random: Random) -> None:
    scenario = generate(random, queries=24)
    oracle, org_id = organisation_with(deployment, scenario, NOW_MS)
    for body in scenario.searches:
        found = everything(deployment, org_id, body)
        expected = oracle.search(body, scenario.now_ms)
        assert in_time(found) == in_time([normalised(each) for each in expected]), body
        newest_first = body.get("order", "newest") == "newest"
        times = [each["started_at"] for each in found]
        assert times == sorted(times, reverse=newest_first)
        assert len(found) == counted(deployment, org_id, body)


@cases(5)
@given(random=randoms)
def test_no_call_comes_twice_and_none_is_left_out_while_others_are_written(
    deployment: Deployment, random: Random
) -> None:
    check_while_written(deployment, random)


@pytest.mark.slow
@cases(80)
@given(random=randoms)
def test_many_searches_while_calls_are_written(deployment: Deployment, random: Random) -> None:
    check_while_written(deployment, random)


def check_while_written(deployment: Deployment, random: Random) -> None:
    scenario = generate(random, queries=24)
    records = scenario.records
    deployment.now_ms = scenario.now_ms - 1
    # Some are there at first, and the others are written whenever the search reads a page.
    first = random.randint(0, len(records))
    sent, waiting = records[:first], records[first:]
    org_id = deployment.organisation(sent, buckets=random.choice(FEW_BUCKETS))
    body = {**random.choice(scenario.searches), "limit": random.choice([1, 2, 3, 7])}
    versions = [matching(sent, body, scenario.now_ms)]
    read, writing = LedgerWalk._query, Lock()

    def write_and_read(walk: LedgerWalk, *asked: Any) -> Any:
        with writing:
            count = min(len(waiting), random.choice([0, 1, 3, 20]))
            written = [waiting.pop(0) for _ in range(count)]
            if written:
                deployment.add(written)
                sent.extend(written)
                versions.append(matching(sent, body, scenario.now_ms))
        return read(walk, *asked)

    deployment.now_ms = scenario.now_ms
    with patch.object(LedgerWalk, "_query", write_and_read):
        found = everything(deployment, org_id, body)
    ids = Counter(str(each["id"]) for each in found)
    assert not ids or max(ids.values()) == 1
    throughout = set.intersection(*(set(each) for each in versions))
    # A call that moves meanwhile may be left out.
    times = {(str(each["id"]), each.get("started_at")) for each in sent}
    moved = {id_ for id_, count in Counter(id_ for id_, time in times if time).items() if count > 1}
    assert throughout - moved <= ids.keys()
    for each in found:
        assert any(version.get(str(each["id"])) == each for version in versions)


def matching(records: Sequence[Content], body: Content, now_ms: int) -> dict[str, Content]:
    found = QueryOracle(records, NOW_MS).search(body, now_ms)
    return {str(each["id"]): normalised(each) for each in found}


def unapplied(deployment: Deployment, records: Sequence[Content]) -> None:
    """Store newer facts that the ledger does not have yet."""
    with patch("rollcall.bootstrap.update", lambda: lambda _batch: Applied):
        deployment.add(records)


class Applied:
    failures: tuple[()] = ()


BOOKED = {"filters": [{"field": "outcome", "op": "eq", "value": "booked"}]}


def test_a_newer_version_is_shown_if_it_still_matches(deployment: Deployment) -> None:
    deployment.now_ms = NOW_MS
    org_id = deployment.organisation(
        [call(name, outcome="booked") for name in ("changed", "other", "deleted", "same")]
    )
    unapplied(
        deployment,
        [
            call("changed", outcome="booked", provider="twilio"),
            call("other", outcome="lost"),
            deletion("call", "deleted"),
        ],
    )
    found = {each["id"]: each for each in everything(deployment, org_id, BOOKED)}
    assert found.keys() == {"changed", "same"}
    assert found["changed"]["provider"] == "twilio"
    assert found["changed"]["updated_at"] > found["same"]["updated_at"]


def test_calls_of_one_instant_come_once_each(deployment: Deployment) -> None:
    deployment.now_ms = NOW_MS
    ids = [f"{number}é~" for number in range(60)]
    org_id = deployment.organisation([call(name) for name in ids])
    for order in ("newest", "oldest"):
        found = everything(deployment, org_id, {"limit": 7, "order": order})
        assert sorted(each["id"] for each in found) == sorted(ids)


@pytest.mark.parametrize("buckets", [1, 3])
@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_a_search_reads_only_the_pages_that_it_needs(
    deployment: Deployment, order: str, buckets: int
) -> None:
    deployment.now_ms = NOW_MS
    records = [
        call(
            f"c-{n}",
            started_at=f"2026-01-{n // 24 + 1:02d}T{n % 24:02d}:00:00Z",
            payload={"note": sha256(bytes([n % 256, n // 256])).hexdigest()},
        )
        for n in range(400)
    ]
    org_id = deployment.organisation(records, buckets=buckets)
    found = deployment.ask("search_calls", org_id, body={"limit": 3, "order": order})
    expected = ["c-399", "c-398", "c-397"] if order == "newest" else ["c-0", "c-1", "c-2"]
    assert [each["id"] for each in found.body["calls"]] == expected
    has_note = [{"field": "payload.note", "op": "not_null"}]
    all_pages = {"measures": ["calls"], "filters": has_note}
    counted = deployment.ask("query_records", org_id, body=all_pages)
    assert int(counted.headers["X-Rollcall-Items-Read"]) > 20
    # The organisation, four facts, and few pages of each bucket.
    assert int(found.headers["X-Rollcall-Items-Read"]) < 6 + 4 * buckets


def test_a_rare_condition_ends_at_the_ceiling(deployment: Deployment) -> None:
    deployment.now_ms = NOW_MS
    org_id = deployment.organisation([call(f"c-{n}") for n in range(40)])
    body = {"filters": [{"field": "outcome", "op": "eq", "value": "never"}]}
    assert deployment.ask("search_calls", org_id, body=body).body["calls"] == []
    with patch.object(bootstrap.search_calls(), "_max_rows", 39):
        answer = deployment.ask("search_calls", org_id, body=body)
    assert answer.status == 422
    assert "needs more than 39 rows" in answer.body["detail"]


# ------------------------------------------------------------------ calls that move while they are searched
def at_hour(name: str, hour: int, **fields: Any) -> Content:
    return call(name, started_at=f"2026-01-01T{hour:02d}:00:00Z", **fields)


@pytest.mark.parametrize(("order", "away"), [("newest", 1), ("oldest", 22)])
def test_a_call_that_moves_past_the_cursor_does_not_come_again(
    deployment: Deployment, order: str, away: int
) -> None:
    deployment.now_ms = NOW_MS
    hours = [8, 10, 12, 14]
    org_id = deployment.organisation([at_hour(f"c-{hour}", hour) for hour in hours])
    body = {"order": order, "limit": 2}
    deployment.now_ms = NOW_MS + 1_000
    search = pages(deployment, org_id, body)
    shown = [each["id"] for each in next(search)]
    deployment.now_ms = NOW_MS + 2_000
    moved = shown[0]
    deployment.add([at_hour(moved, away)])
    assert moved not in [each["id"] for page in search for each in page]
    deployment.now_ms = NOW_MS + 3_000
    found = everything(deployment, org_id, body)
    assert [each["id"] for each in found][-1] == moved
    assert len(found) == len(hours)


def test_a_call_that_moved_before_the_search_is_found_although_it_changes_meanwhile(
    deployment: Deployment,
) -> None:
    deployment.now_ms = NOW_MS
    org_id = deployment.organisation([at_hour(f"c-{hour}", hour) for hour in (8, 10, 12, 14)])
    deployment.add([at_hour("c-14", 7)])
    deployment.now_ms = NOW_MS + 1_000
    search = pages(deployment, org_id, {"limit": 2})
    assert [each["id"] for each in next(search)] == ["c-12", "c-10"]
    deployment.now_ms = NOW_MS + 2_000
    deployment.add([at_hour("c-14", 7, outcome="booked")])
    assert [each["id"] for page in search for each in page] == ["c-8", "c-14"]


@cases(8)
@given(random=randoms)
def test_while_calls_move_none_comes_twice_and_none_that_stays_is_left_out(
    deployment: Deployment, random: Random
) -> None:
    deployment.now_ms = NOW_MS
    names = [f"c-{n}" for n in range(30)]
    notes = {name: sha256(name.encode()).hexdigest() * 4 for name in names}

    def somewhere(name: str) -> Content:
        return at_hour(name, random.randrange(24), payload={"note": notes[name]})

    placed = [somewhere(name) for name in names]
    org_id = deployment.organisation(placed, buckets=random.choice(FEW_BUCKETS))
    moving = random.sample(names, 12)
    read, writing = LedgerWalk._query, Lock()

    def move_and_read(walk: LedgerWalk, *asked: Any) -> Any:
        with writing:
            deployment.now_ms += 5
            count = random.choice([0, 1, 4])
            deployment.add([somewhere(random.choice(moving)) for _ in range(count)])
        return read(walk, *asked)

    body = {"limit": random.choice([1, 4, 9]), "order": random.choice(["newest", "oldest"])}
    deployment.now_ms += 1
    with patch.object(LedgerWalk, "_query", move_and_read):
        found = Counter(each["id"] for each in everything(deployment, org_id, body))
    assert max(found.values()) == 1
    assert set(names) - set(moving) <= found.keys()
    deployment.now_ms += 5
    assert sorted(each["id"] for each in everything(deployment, org_id, body)) == sorted(names)
