"""Writes of one record: full documents, merges, deletions and revivals, many at equal times."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

_TIMES = [f"2026-11-10T10:00:0{second}Z" for second in range(3)]
_IDS = ("id", "lead_id", "workspace_id")
_UPDATES = [f"2026-11-11T10:00:0{second}Z" for second in range(4)]

# What each field may be; a merge may also take the optional ones away.
_REQUIRED: dict[str, dict[str, list[Any]]] = {
    "call": {"started_at": _TIMES, "status": ["ringing", "completed", "failed"]},
    "task": {"created_at": _TIMES, "status": ["pending", "hold", "in_progress"]},
    "lead": {"created_at": _TIMES[:1], "status": ["BACKLOG", "RETRY", "FINISHED"]},
    "space": {},
    "room": {"created_at": _TIMES[:2], "name": ["a", "b"], "workspace_id": [5, "5"]},
}
_OPTIONAL: dict[str, dict[str, list[Any]]] = {
    "call": {
        "direction": ["inbound"],
        "campaign_id": ["c"],
        "lead_id": [7, "7"],
        "outcome": ["booked", ""],
        "duration_seconds": [0, 30],
        "sentiment": [1],
        "answered": [True, False],
        "attempt": [1, 2],
        "labels": [[], [7, "a"], ["a", "7"]],
        "events": [{}, {"sms_sent": 0}, {"sms_sent": 2}],
        "payload": [{}, {"k": 1}, {"k": True}, {"k": "1", "l": None}],
    },
    "task": {"space_token": ["s", "t"]},
    "lead": {"converted": [True, False], "payload": [{"k": 1}, {"k": True}]},
    "space": {"name": ["a", "b"], "created_at": _TIMES},
    "room": {"display_name": ["c", None]},
}


def _values(fields: dict[str, list[Any]]) -> dict[str, st.SearchStrategy[Any]]:
    return {name: st.sampled_from(values) for name, values in fields.items()}


def _some(fields: dict[str, list[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=_values(fields))


def writes_of(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """Valid writes of one record of a type, with an `updated_at`."""
    common = {
        "type": st.just(kind),
        "id": st.sampled_from([5, "5"]),
        "updated_at": st.sampled_from(_UPDATES),
    }
    required, optional = _REQUIRED[kind], _OPTIONAL[kind]
    taken_away = {name: [*values, None] for name, values in optional.items()}
    full = st.fixed_dictionaries(common | _values(required), optional=_values(optional))
    merge = st.builds(
        lambda head, fields: head | fields,
        st.fixed_dictionaries(common | {"merge": st.just(True)}),
        _some(required | taken_away).filter(bool),
    )
    deletion = st.fixed_dictionaries(common | {"deleted": st.just(True)})
    return st.one_of(full, full, merge, merge, merge, deletion).filter(_has_direction)


def _has_direction(document: dict[str, Any]) -> bool:
    return "campaign_id" not in document or "merge" in document or "direction" in document


def _in_another_form(document: dict[str, Any]) -> dict[str, Any]:
    """The same content: an integer id as a string, and a default left out that was sent."""
    return {
        name: str(value) if type(value) is int and name in _IDS else value
        for name, value in document.items()
        if "merge" in document or (name, value) != ("attempt", 1)
    }


@st.composite
def _history(draw: st.DrawFn, kind: str) -> list[dict[str, Any]]:
    written = draw(st.lists(writes_of(kind), min_size=1, max_size=6))
    again = draw(st.lists(st.sampled_from(written), max_size=2))
    return draw(st.permutations(written + [_in_another_form(document) for document in again]))


histories = st.sampled_from(list(_REQUIRED)).flatmap(_history)
