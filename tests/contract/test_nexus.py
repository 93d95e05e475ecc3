"""Nexus's published workspace analytics, as its clients see them (docs/contract.md#nexus).

Its time lines end today, so the times of the data are relative to today, and what is expected is computed
for the day of the answer: midnight may pass during a test.
"""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.support import stack as stacks
from tests.support.builders import (
    OMIT,
    booking_page,
    call,
    contact,
    contact_event,
    deletion,
    recording,
    room,
    workspace,
)
from tests.support.http_answers import compact, forged, gateway_error
from tests.support.oracle import instant
from tests.support.request_bodies import loaded
from tests.support.stack import nexus_route

FORBIDDEN = b'{"error":"Forbidden"}'
KPIS = ["rooms", "recordings", "recordingDuration", "contacts", "bookings"]


def today() -> date:
    return datetime.now(UTC).date()


def ask(organisation, id, query="", headers=()):
    return organisation.send("GET", nexus_route(id) + query, headers=headers)


def report(organisation, id):
    """The answer and the day it was given on."""
    while True:
        day = today()
        answer = ask(organisation, id)
        assert answer.status == 200, answer.body
        if today() == day:
            return answer, day


def refused(answer, status, message=None):
    """An error in the dialect's shape."""
    assert answer.status == status, answer.body
    assert list(answer.json) == ["error"]
    assert isinstance(answer.json["error"], str)
    assert answer.json["error"]
    assert message in (None, answer.json["error"])
    assert answer.header("Content-Type").startswith("application/json")
    return True


def text(body):
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def kpis(*values):
    return dict(zip(KPIS, values, strict=True))


EMPTY = {
    "kpis": kpis(0, 0, 0, 0, 0),
    "activityTimeline": [],
    "eventTypeBreakdown": [],
    "topBookingPages": [],
    "newContactsTimeline": [],
    "topRooms": [],
}


# ------------------------------------------------------------------ the data


class Days:
    """Times relative to the day on which the data was made."""

    def __init__(self) -> None:
        self.first = today()

    def day(self, ago: int) -> date:
        return self.first - timedelta(days=ago)

    def start(self, ago: int) -> str:
        return f"{self.day(ago)}T00:00:00.000Z"

    def noon(self, ago: int) -> str:
        return f"{self.day(ago)}T12:00:00Z"

    def end(self, ago: int) -> str:
        return f"{self.day(ago)}T23:59:59.999Z"

    def line(self, counts, day):
        """{days ago: values} as a time line of the thirty dates that end with `day`."""
        dated = {self.day(ago): values for ago, values in counts.items()}
        return [
            {"date": str(date), **values}
            for date, values in sorted(dated.items())
            if day - timedelta(days=29) <= date <= day
        ]


@pytest.fixture(scope="module")
def days():
    return Days()


def joins(prefix, number, id, time, **fields):
    """So many people join a room."""
    return [
        contact_event(f"{prefix}-{n}", occurred_at=time, **{"room_id": id, **fields})
        for n in range(number)
    ]


def bookings(prefix, number, id, time, **fields):
    named = {"booking_page_id": id, "event_type": "booking", **fields}
    return [contact_event(f"{prefix}-{n}", occurred_at=time, **named) for n in range(number)]


def of(workspace_id, records):
    return [{**record, "workspace_id": workspace_id} for record in records]


@pytest.fixture(scope="module")
def org(stack, days):
    """Workspace 7, whose figures are counted by hand below, and neighbours."""
    last_year = "2019-05-05T12:00:00Z"
    return loaded(
        stack,
        [
            workspace(7),
            *of(
                7,
                [
                    room(1, name="alpha", display_name="Alpha"),
                    room(2, name="beta", display_name=None),
                    room(10, name="gamma"),
                    room("r-x", name="délta", display_name=""),
                    room("11", name="eta", display_name="Eta"),
                    room(12, name="theta"),
                    room(13, name="quiet", display_name="Quiet"),
                    room(3, name="deleted", display_name="Deleted"),
                    # 3, 4 and 99 have the most joins, but 3 is deleted, 4 is another workspace's, and
                    # 99 never existed.
                    *joins("a", 6, 3, days.noon(3)),
                    *joins("b", 5, 4, days.noon(3)),
                    *joins("c", 5, 99, last_year),
                    *joins("d", 4, "1", days.noon(3)),
                    *joins("e", 3, 2, days.noon(29)),
                    *joins("f", 3, "10", days.noon(1)),
                    *joins("g", 2, "r-x", last_year),
                    *joins("h", 1, 11, last_year),
                    *joins("i", 1, 12, last_year),
                    *joins("j", 2, OMIT, days.start(0)),
                    # The edges of the thirty dates, and tomorrow.
                    *joins("k", 1, OMIT, days.start(29)),
                    *joins("l", 1, OMIT, days.end(30)),
                    *joins("m", 1, OMIT, days.start(-1)),
                    *joins("n", 1, 13, days.noon(-400)),
                    booking_page(1, title="Intro", slug="intro"),
                    booking_page(2, title="Démo", slug="demo"),
                    booking_page(10, title="", slug=""),
                    booking_page(20, title="Gone", slug="gone"),
                    *bookings("o", 3, 20, days.end(1)),
                    *bookings("p", 2, 2, days.noon(3)),
                    *bookings("q", 2, 10, days.start(29)),
                    *bookings("r", 1, 1, days.end(30)),
                    *bookings("s", 1, OMIT, days.noon(-2)),
                    # An event of another type counts for neither, whatever it names.
                    *joins("t", 4, 13, days.noon(5), event_type="form_submit"),
                    *joins("u", 1, 1, days.noon(5), event_type="a", booking_page_id=1),
                    recording("rec-1", duration_seconds=90.5),
                    recording("rec-2", room_id=1, duration_seconds=9),
                    recording("rec-3", room_id=4),
                    contact("con-1", created_at=days.start(29)),
                    contact("con-2", created_at=days.end(30)),
                    contact("con-3", created_at=days.start(0)),
                    contact("con-4", created_at=days.noon(7)),
                    contact("con-5", created_at=days.noon(7)),
                    contact("con-6", created_at=days.start(-1)),
                    contact("con-7", created_at=last_year),
                ],
            ),
            deletion("room", 3),
            deletion("booking_page", 20),
            *of(8, [room(4, name="eights")]),
            workspace("bare"),
            workspace("deleted"),
            deletion("workspace", "deleted"),
            *of("emptied", [contact("con-8")]),
            deletion("contact", "con-8"),
            *of("named", [contact("con-9", created_at=last_year)]),
            # Known as spaces and campaigns, not as workspaces.
            call("c1", space_token="a space", campaign_id="a campaign", direction="inbound"),
        ],
    )


@pytest.fixture(scope="module")
def other(stack):
    """Another organisation: a workspace of its own, and one of the same name."""
    return loaded(
        stack,
        [workspace("theirs"), *of(7, [room(1, name="alpha"), *joins("a", 1, 1, "2024-03-05T12:00:00Z")])],
    )  # fmt: skip


@pytest.fixture(scope="module")
def without_data(stack):
    """An organisation without data."""
    return stack.new_organisation()


def expected(days, day):
    """Workspace 7 on a day."""
    activity = {
        30: (1, 1),
        29: (2, 4),
        3: (2, 15),
        1: (3, 3),
        0: (0, 2),
        -1: (0, 1),
        -2: (1, 0),
        -400: (0, 1),
    }
    contacts = {30: 1, 29: 1, 7: 2, 0: 1, -1: 1}
    return {
        # Seven rooms are left; 90.5 s are stored as 91.
        "kpis": kpis(7, 3, 100, 7, 9),
        "activityTimeline": days.line(
            {
                ago: {"bookings": booked, "room_joins": joined}
                for ago, (booked, joined) in activity.items()
            },
            day,
        ),
        # The two years' joins: 6 + 5 + 5 + 4 + 3 + 3 + 2 + 1 + 1 + 2 + 1 + 1 + 1 + 1.
        "eventTypeBreakdown": [
            {"type": "room_join", "count": 36},
            {"type": "booking", "count": 9},
            {"type": "form_submit", "count": 4},
            {"type": "a", "count": 1},
        ],
        "topBookingPages": [
            {"id": 10, "title": "", "slug": "", "count": 2},
            {"id": 2, "title": "Démo", "slug": "demo", "count": 2},
            {"id": 1, "title": "Intro", "slug": "intro", "count": 1},
        ],
        "newContactsTimeline": days.line(
            {ago: {"count": count} for ago, count in contacts.items()}, day
        ),
        # Ids in the order of their text, and as they came: 11 as text. 12 and 13 are the sixth.
        "topRooms": [
            {"id": 1, "name": "alpha", "display_name": "Alpha", "count": 4},
            {"id": 10, "name": "gamma", "display_name": None, "count": 3},
            {"id": 2, "name": "beta", "display_name": None, "count": 3},
            {"id": "r-x", "name": "délta", "display_name": "", "count": 2},
            {"id": "11", "name": "eta", "display_name": "Eta", "count": 1},
        ],
    }


# ------------------------------------------------------------------ the published answer


def test_the_published_answer_byte_for_byte(org, days):
    answer, day = report(org, 7)
    found, wanted = json.loads(answer.body), expected(days, day)
    for section in wanted:  # one at a time, so that a difference says where it is
        assert text(found[section]) == text(wanted[section]), section
    assert list(found) == list(wanted)
    assert compact(answer.body) == text(wanted)
    assert answer.header("Content-Type").startswith("application/json")


@pytest.mark.parametrize("id", [8, "8", "bare", "named"])
def test_workspaces_with_little_in_them(org, id):
    answer, _ = report(org, id)
    wanted = {
        "bare": EMPTY,
        "named": {**EMPTY, "kpis": kpis(0, 0, 0, 1, 0)},
    }.get(id, {**EMPTY, "kpis": kpis(1, 0, 0, 0, 0)})
    assert compact(answer.body) == text(wanted)


def test_thirty_dates(stack, days):
    """One join on each of forty days in a row, and a contact on every second of them."""
    org = loaded(
        stack,
        of(
            "w",
            [
                event
                for ago in range(-4, 36)
                for event in (
                    contact_event(f"e{ago}", occurred_at=days.noon(ago), room_id=OMIT),
                    contact(f"c{ago}", created_at=days.noon(ago - ago % 2)),
                )
            ],
        ),
    )
    answer, day = report(org, "w")
    dates = [str(day - timedelta(days=ago)) for ago in range(29, -1, -1)]
    assert len(dates) == 30
    assert answer.json["activityTimeline"] == [
        {"date": date, "bookings": 0, "room_joins": 1} for date in dates
    ]
    with_contacts = {str(days.day(ago)) for ago in range(-4, 36, 2)}
    assert answer.json["newContactsTimeline"] == [
        {"date": date, "count": 2} for date in dates if date in with_contacts
    ]
    assert answer.json["kpis"] == kpis(0, 0, 0, 40, 0)
    assert answer.json["eventTypeBreakdown"] == [{"type": "room_join", "count": 40}]


def test_tops_leave_out_what_is_gone(stack):
    """Twelve rooms and pages that are gone have the most events; of the six others, five are shown."""
    noon = "2024-03-05T12:00:00Z"
    gone = [f"gone-{n}" for n in range(12)]
    live = ["😀", "\ue000", 9, 10, 100, 11]
    org = loaded(
        stack,
        of(
            "w",
            [
                *(room(id, name="gone") for id in gone[:6]),
                *(booking_page(id) for id in gone[:6]),
                *(event for id in gone for event in joins(f"j-{id}", 2, id, noon)),
                *(event for id in gone for event in bookings(f"b-{id}", 2, id, noon)),
                *(room(id, name=f"room {id}") for id in live),
                *(booking_page(id, title=f"page {id}", slug=str(id)) for id in live),
                *(event for id in live for event in joins(f"j-{id}", 1, id, noon)),
                *(event for id in live for event in bookings(f"b-{id}", 1, id, noon)),
            ],
        )
        + [deletion(type, id) for type in ("room", "booking_page") for id in gone[:3]]
        # These move to another workspace; their events stay in this one.
        + of("elsewhere", [room(id, name="gone") for id in gone[3:6]])
        + of("elsewhere", [booking_page(id) for id in gone[3:6]]),
    )
    found = report(org, "w")[0].json
    order = [10, 100, 11, 9, "\ue000"]  # by code point: an emoji comes last
    assert found["topRooms"] == [
        {"id": id, "name": f"room {id}", "display_name": None, "count": 1} for id in order
    ]
    assert found["topBookingPages"] == [
        {"id": id, "title": f"page {id}", "slug": str(id), "count": 1} for id in order
    ]
    assert found["kpis"] == kpis(6, 0, 0, 0, 30)
    assert found["eventTypeBreakdown"] == [
        {"type": "booking", "count": 30},  # as many, so by type
        {"type": "room_join", "count": 30},
    ]


def test_names_follow_their_record(stack):
    """Renamed, revived, and an integer id that comes back as text."""
    org = stack.new_organisation()
    noon = "2024-03-05T12:00:00Z"

    def tell(*records):
        answer = org.post(of("w", records))
        assert answer.status == 200, answer.body
        stack.drain()
        return report(org, "w")[0].json["topRooms"]

    [found] = tell(room(5, name="old", display_name="Old"), *joins("a", 1, 5, noon))
    assert found == {"id": 5, "name": "old", "display_name": "Old", "count": 1}
    [found] = tell(room(5, name="new"))
    assert found == {"id": 5, "name": "new", "display_name": None, "count": 1}
    assert org.post([deletion("room", 5)]).status == 200
    assert tell(contact("c")) == []
    [found] = tell(room("5", name="back"))
    assert found == {"id": "5", "name": "back", "display_name": None, "count": 1}


# ------------------------------------------------------------------ 403


UNKNOWN = [
    "unknown", "deleted", "emptied", "theirs", "a space", "a campaign", "70", "07", "7 ", " 7",
    "Bare", "bar", "bare#", "\x00", "7\x00", "\n", "\x7f", "x" * 129, "x" * 5_000, "😀" * 129,
]  # fmt: skip


def test_unknown_and_foreign_workspaces_give_the_same_bytes(org, other):
    assert ask(other, "theirs").status == 200
    for id in UNKNOWN:
        for query in ("", "?x=1"):  # 403 comes before 400
            answer = ask(org, id, query)
            assert refused(answer, 403, "Forbidden"), id
            assert compact(answer.body) == FORBIDDEN, id
    headers = [
        {name.lower() for name, _ in answer.headers}
        for answer in (ask(org, "theirs"), ask(org, "unknown"))
    ]
    assert headers[0] == headers[1]


def test_a_workspace_of_the_same_name_is_another(org, other, without_data):
    assert ask(other, 7).json["kpis"] == kpis(1, 0, 0, 0, 0)
    assert ask(org, 7).json["kpis"]["rooms"] == 7
    assert compact(ask(without_data, 7).body) == FORBIDDEN
    assert compact(ask(other, "bare").body) == FORBIDDEN


STRANGE_IDS = [
    "a/b", "a b", "a+b", "a%2Fb", "100%", "é", "😀", "#", "?", "a&b=c", "~", "\u200b", "x" * 128,
    "😀" * 128, 10**127, -1,
]  # fmt: skip


def test_ids_in_a_path(stack):
    org = loaded(
        stack, [contact(f"c{n}", workspace_id=id) for n, id in enumerate(STRANGE_IDS)]
    )  # fmt: skip
    for id in STRANGE_IDS:
        answer, _ = report(org, id)
        assert answer.json["kpis"] == kpis(0, 0, 0, 1, 0), id
    assert org.send("GET", "/api/workspaces/a+b/analytics").status == 200
    assert compact(org.send("GET", "/api/workspaces/a%20b%20/analytics").body) == FORBIDDEN


def test_paths_that_are_no_id(org):
    for path in (
        "/api/workspaces/%FF/analytics",
        "/api/workspaces/%C3%28/analytics",
        "/api/workspaces/%ED%A0%80/analytics",
        "/api/workspaces/%/analytics",
        "/api/workspaces/%zz/analytics",
        "/api/workspaces//analytics",
        "/api/workspaces/../analytics",
        "/api/workspaces/%2e%2e/analytics",
    ):
        answer = org.send("GET", path)
        assert answer.status in (400, 403, 404), (path, answer.body)


# ------------------------------------------------------------------ 400, routes, tokens


@pytest.mark.parametrize(
    "query", ["?x=1", "?days=30", "?date_from=2024-01-01", "?x", "?x=", "?a=1&a=2"]
)
def test_query_parameters_are_refused(org, query):
    assert refused(ask(org, 7, query), 400)


def test_with_and_without_the_trailing_slash(org):
    path = nexus_route("bare")
    answers = [org.send("GET", each) for each in (path, f"{path}/")]
    assert [compact(answer.body) for answer in answers] == [text(EMPTY), text(EMPTY)]
    assert compact(org.send("GET", nexus_route("unknown") + "/").body) == FORBIDDEN


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("is_authorised", [True, False])
def test_a_wrong_method_is_not_found(org, method, is_authorised):
    headers = [("X-HTTP-Method-Override", "GET")]
    if is_authorised:
        headers.append(("Authorization", f"Bearer {org.token}"))
    for id in (7, "unknown"):
        for path in (nexus_route(id), nexus_route(id) + "/"):
            answer = stacks.request(org.stack.api, method, path, headers, b"")
            assert gateway_error(answer, 404, "Not Found")


@pytest.mark.parametrize(
    "path",
    [
        "/api/workspaces", "/api/workspaces/7", "/api/workspaces/analytics",
        "/api/workspaces/7/Analytics", "/api/Workspaces/7/analytics",
        "/api/workspaces/7/analytics/more", "/api/workspaces/7/8/analytics",
        "/api/workspaces/7%2Fanalytics", "/workspaces/7/analytics", "/api/workspaces/7/analytics//",
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_authorised", [True, False])
def test_an_unknown_route_is_not_found(org, path, is_authorised):
    headers = [("Authorization", f"Bearer {org.token}")] if is_authorised else []
    answer = stacks.request(org.stack.api, "GET", path, headers)
    assert gateway_error(answer, 404, "Not Found")


def test_tokens(org):
    """401 comes before the workspace and before the query."""
    for headers in (
        [],
        [("Authorization", f"Bearer {org.token}x")],
        [("Authorization", f"Bearer {forged(org.token)}")],
        [("Authorization", "Bearer lnx_0123456789abcdef")],
        [("Authorization", f"Bearer {org.token}"), ("Authorization", f"Bearer {org.token}")],
        [("Authorization", f"Bearer {org.token}"), ("authorization", "Bearer x")],
    ):
        for path in (nexus_route(7), nexus_route("unknown"), nexus_route(7) + "?x=1"):
            answer = stacks.request(org.stack.api, "GET", path, headers)
            assert gateway_error(answer, 401, "Unauthorized")


def test_scopes(org):
    headers = [("Authorization", f"Bearer {org.new_token('ingest')['token']}")]
    for path in (nexus_route(7), nexus_route("unknown"), nexus_route(7) + "?x=1"):
        answer = stacks.request(org.stack.api, "GET", path, headers)
        assert gateway_error(answer, 403, "Forbidden")


def test_headers_that_are_not_read(org):
    for headers in (
        [("Org-Handle", "unknown")],
        [("Org-Handle", "alice"), ("Org-Handle", "bob")],
        [("X-HTTP-Method-Override", "POST")],
        [("Content-Type", "text/plain")],
    ):
        assert compact(ask(org, "bare", headers=headers).body) == text(EMPTY)


@pytest.mark.parametrize("id", [7, "bare", "named"])
def test_headers_of_an_answer(org, id):
    answer, _ = report(org, id)
    assert answer.header("Content-Type").startswith("application/json")
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("X-Rollcall-Source") in ("rollups", "ledger", "mixed")
    assert 0 < int(answer.header("X-Rollcall-Items-Read")) <= 100
    assert 0 < float(answer.header("X-Rollcall-Read-Units")) <= 100
    as_of = answer.header("X-Rollcall-As-Of")
    assert as_of.endswith("Z")
    age_ms = datetime.now(UTC).timestamp() * 1000 - instant(as_of, "as of")
    assert -5_000 < age_ms < 3_600_000
