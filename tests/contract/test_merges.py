"""Merges over HTTP: each field holds what its greatest write gave it (docs/contract.md#writing)."""

from __future__ import annotations

from itertools import count, permutations

import pytest

from tests.support.builders import call, deletion, full_call, space
from tests.support.stack import Organisation, Stack

numbers = count(1)
TIMES = [f"2024-04-01T00:00:0{second}Z" for second in range(6)]


@pytest.fixture(scope="module")
def org(stack: Stack) -> Organisation:
    return stack.new_organisation()


def fresh() -> str:
    """An id that no other test uses."""
    return f"merged-{next(numbers)}"


def merge(id, second=None, type="call", **fields):
    at = {} if second is None else {"updated_at": TIMES[second]}
    return {"type": type, "id": id, "merge": True, **at, **fields}


def outcomes(org, *records):
    """What became of each record, sent in a request of its own."""
    found = []
    for record in records:
        body = org.post([record]).json
        if body["rejected"]:
            found.append(tuple(body["rejected"][0][name] for name in ("field", "message")))
        else:
            found.append(next(name for name in ("accepted", "unchanged", "stale") if body[name]))
    return found


def read(org, id):
    found = org.get(f"/v1/calls/{id}")
    return None if found.status == 404 else found.json


def test_a_later_status_with_the_same_time_is_not_lost(org):
    id = fresh()
    ringing = call(id, status="ringing", updated_at=TIMES[0])
    completed = call(id, status="completed", duration_seconds=30, updated_at=TIMES[0])
    assert outcomes(org, ringing, completed, ringing) == ["accepted", "accepted", "stale"]
    assert read(org, id)["record"]["status"] == "completed"


def test_a_merge_sets_what_it_names(org):
    id = fresh()
    org.post([full_call(id, updated_at=TIMES[0])])
    before = read(org, id)["record"]
    assert outcomes(org, merge(id, 1, outcome="booked", sentiment=None)) == ["accepted"]
    found = read(org, id)
    assert found["updated_at"] == "2024-04-01T00:00:01.000Z"
    expected = before | {"outcome": "booked", "updated_at": found["updated_at"]}
    del expected["sentiment"]
    assert found["record"] | {"updated_at": found["updated_at"]} == expected


@pytest.mark.slow
def test_full_documents_merges_and_deletions_end_alike_in_any_order(org):
    def writes(id):
        return [
            call(id, status="ringing", updated_at=TIMES[1]),
            merge(id, 2, outcome="booked", status="completed"),
            deletion("call", id, TIMES[3]),
            merge(id, 4, started_at="2024-03-05T12:00:03Z", status="in_progress", language="de"),
            call(id, status="completed", duration_seconds=9, updated_at=TIMES[0]),
        ]

    found = []
    for order in list(permutations(range(5)))[::7]:
        id = fresh()
        # First what creates, so that no merge is rejected: that one counts as never sent.
        sent = [writes(id)[index] for index in order]
        sent.sort(key=lambda record: record.get("outcome") is not None)
        assert all(isinstance(each, str) for each in outcomes(org, *sent))
        found.append({k: v for k, v in read(org, id)["record"].items() if k != "id"})
    assert found == [found[0]] * len(found)
    assert (found[0]["language"], found[0]["status"]) == ("de", "in_progress")
    assert found[0].keys().isdisjoint({"outcome", "duration_seconds"})


def test_a_merge_cannot_create_without_the_required_fields(org):
    id = fresh()
    message = f"call {id} is not known; a merge cannot create it without started_at and status"
    assert outcomes(org, merge(id, outcome="x")) == [("started_at", message)]
    assert outcomes(org, merge(id, started_at=TIMES[0], status="busy"), deletion("call", id),
                    merge(id, outcome="x")) == ["accepted", "accepted", ("started_at", message)]  # fmt: skip
    assert read(org, id) is None
    assert outcomes(org, merge(fresh(), type="space", name="S")) == ["accepted"]


def test_what_no_merge_may_do_is_refused_by_name(org):
    id = fresh()
    org.post([call(id), space(id)])
    for fields, field in [
        ({"status": None}, "status"),
        ({"started_at": None}, "started_at"),
        ({"duration_seconds": "5"}, "duration_seconds"),
        ({"colour": None}, "colour"),
        ({"campaign_id": "c"}, "campaign_id"),
        ({}, "merge"),
    ]:
        [(refused, _)] = outcomes(org, merge(id, **fields))
        assert refused == field
    for value in (False, None, 1, "true"):
        [(refused, message)] = outcomes(org, merge(id, outcome="x") | {"merge": value})
        assert (refused, message) == ("merge", "must be true or absent")
    assert outcomes(org, merge(id, deleted=True))[0][0] == "merge"


def test_merges_of_one_id_in_one_request_are_as_if_sent_one_by_one(org):
    id = fresh()
    answer = org.post([
        merge(id, 0, outcome="x"),
        call(id, updated_at=TIMES[1]),
        merge(id, 2, outcome="y"),
        merge(id, 2, outcome="y"),
        merge(id, outcome="y"),
        merge(id, 1, outcome="z"),
        deletion("call", id),
        merge(id, started_at=TIMES[0], status="failed"),
    ])  # fmt: skip
    assert answer.status == 207
    assert [answer.json[name] for name in ("accepted", "unchanged", "stale")] == [4, 2, 1]
    assert [entry["index"] for entry in answer.json["rejected"]] == [0]
    assert read(org, id)["record"]["status"] == "failed"
