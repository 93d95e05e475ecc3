"""Generated datasets, and generated questions about them, whose times meet at the same edges.

A dataset has one scene: an instant at which something happens to days (a month end, a leap day, a
change of the clocks) and the zones whose clocks show it. Calls and bounds gather around it, within
milliseconds of each other. Values are few, so that filters hit.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from tests.generate import weighted
from tests.oracle import (
    CALL_STATUSES,
    DISPOSITIONS,
    EVENTS,
    LEAD_STATUSES,
    TASK_STATUSES,
    Oracle,
    instant,
)
from tests.oracle_breeze import CALL_TYPES, GRANULARITIES, LEAD_TYPES, breeze
from tests.oracle_nexus import nexus
from tests.oracle_nlpearl import nlpearl

Content = dict[str, Any]

SECOND_MS, HOUR_MS, DAY_MS = 1_000, 3_600_000, 86_400_000
END_MS = instant("9998-12-31T23:59:59.999Z", "time") + 1


# ------------------------------------------------------------------ scenes


@dataclass(frozen=True)
class Scene:
    """Where in time a dataset plays, and the zones worth asking in."""

    edge_ms: int
    zones: Sequence[str]


def scene(edge: str, *zones: str) -> Scene:
    return Scene(instant(edge, "edge"), zones)


PLAIN = ("UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kolkata", "Asia/Kathmandu")
SCENES = [
    scene("2024-02-29T00:00:00Z", *PLAIN),
    scene("2024-03-01T00:00:00Z", *PLAIN, "Pacific/Kiritimati", "Pacific/Niue"),
    scene("2023-12-31T18:30:00Z", "Asia/Kolkata"),
    scene("2024-02-28T18:15:00Z", "Asia/Kathmandu"),
    scene("2024-03-31T01:00:00Z", "Europe/Berlin", "Europe/London", "Africa/Abidjan"),
    scene("2024-10-27T01:00:00Z", "Europe/Berlin", "Europe/London", "Atlantic/Azores"),
    scene("2010-03-14T03:31:00Z", "America/St_Johns"),  # 00:01 becomes 01:01
    scene("2010-11-07T02:31:00Z", "America/St_Johns"),  # 00:01 becomes 23:01 of the day before
    scene("2024-03-10T05:30:00Z", "America/St_Johns"),
    scene("2024-11-03T04:30:00Z", "America/St_Johns"),
    scene("2024-04-06T15:00:00Z", "Australia/Lord_Howe"),  # half an hour back
    scene("2024-10-05T15:30:00Z", "Australia/Lord_Howe"),
    scene("2018-11-04T03:00:00Z", "America/Sao_Paulo"),  # no midnight
    scene("2024-11-03T05:00:00Z", "America/Havana"),  # midnight twice
    scene("2011-12-30T10:00:00Z", "Pacific/Apia"),  # no 30 December
    scene("1970-01-01T00:00:00Z", "UTC", "Asia/Tokyo", "Pacific/Niue"),
    scene("9998-12-31T23:59:59.999Z", "UTC", "Asia/Tokyo", "Pacific/Niue", "Europe/Berlin"),
]

steps = weighted(
    [
        (8, st.just(0)),
        (3, st.sampled_from([-1, 1])),
        (2, st.integers(-3, 3)),
        (1, st.sampled_from([-35, -29, -28, 29, 31, 40])),
    ]
)
slips = weighted(
    [
        (3, st.sampled_from([0, -1, 1, 999, -999, SECOND_MS, -SECOND_MS, 500])),
        (2, st.sampled_from([-HOUR_MS, HOUR_MS, -HOUR_MS // 2, HOUR_MS // 2, -60_000, 60_000])),
        (2, st.integers(-48, 48).map(lambda quarters: quarters * HOUR_MS // 4)),
        (1, st.integers(-DAY_MS, DAY_MS)),
    ]
)


def moments(scene: Scene) -> st.SearchStrategy[int]:
    """Instants near the edge: some days off, and a little."""

    def near(days: int, slip: int, slip_again: int) -> int:
        wanted = scene.edge_ms + days * DAY_MS + slip + slip_again
        return min(max(wanted, 0), END_MS - 1)

    return st.builds(near, steps, slips, weighted([(3, st.just(0)), (1, slips)]))


def utc(moment_ms: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=moment_ms)


def written(moment_ms: int) -> str:
    return utc(moment_ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# ------------------------------------------------------------------ datasets

TEMPLATES = ["t", "t#1", 5, "5", "é😀"]
MERCHANTS = ["m", "m~#", 7]
RESELLERS = ["r", "r/1"]
CAMPAIGNS = ["c", "c#1", 9, "ü"]
WORKSPACES = ["w", "w#1", 3]
ROOMS = [1, 2, 10, "9", "a", "b", "c#", "ž"]
LEADS = [1, "1", "l", "l#", "ł"]
LABELS = ["x", "y", "z#", 4]
OUTCOMES = ["sold", "N/A", "", "Sold", "später", "\uffff", "😀"]
PROVIDERS = ["twilio", "N/A", "plivo", "", "Ω"]
DURATIONS: list[Any] = [0, 1, 59, Decimal("59.5"), 60, 61, 3600, Decimal("0.4"), 10**9]
SENTIMENTS: list[Any] = [
    0,
    1,
    *map(Decimal, "0.1994 0.1995 0.2 0.3999 0.4 0.5 0.5005 0.6 0.799 0.8 0.9999".split()),
]
COSTS: list[Any] = [0, 1, 10**9, *map(Decimal, "0.0000005 0.00005 0.00015 1.999999".split())]
PAYLOAD_VALUES: list[Any] = [
    None,
    True,
    False,
    "",
    "1",
    "true",
    1,
    0,
    Decimal("1.0"),
    Decimal("0.1"),
    Decimal("-0.0"),
    10**20,
    Decimal("1E-100"),
    "x" * 256,
]
PAYLOAD_KEYS = ["a", "b", "c.d-e_f"]
ids = [1, "1", "k", "k#", 12, "é"]
VERSIONS = [f"2024-04-01T00:00:0{second}Z" for second in range(4)]


def records(scene: Scene) -> st.SearchStrategy[Content]:
    """One record of any type that the questions look at."""
    when = moments(scene).map(written)
    some_ids = weighted([(1, st.sampled_from(ids)), (3, st.integers(100, 10**6))])

    def record(type: str, required: Content, optional: Content) -> st.SearchStrategy[Content]:
        return st.fixed_dictionaries(
            {"type": st.just(type), "id": some_ids, **required},
            optional={"updated_at": st.sampled_from(VERSIONS), **optional},
        )

    owners = {
        "template_id": st.sampled_from(TEMPLATES),
        "merchant_id": st.sampled_from(MERCHANTS),
        "reseller_id": st.sampled_from(RESELLERS),
        "payload": st.dictionaries(
            st.sampled_from(PAYLOAD_KEYS), st.sampled_from(PAYLOAD_VALUES), max_size=2
        ),
    }
    calls = record(
        "call",
        {"started_at": when, "status": st.sampled_from(CALL_STATUSES)},
        {
            **owners,
            "disposition": st.sampled_from([*DISPOSITIONS, *["successful"] * 5]),
            "space_token": st.sampled_from(["s", 6]),
            "lead_id": st.sampled_from(LEADS),
            "provider": st.sampled_from(PROVIDERS),
            "outcome": st.sampled_from(OUTCOMES),
            "duration_seconds": st.sampled_from(DURATIONS),
            "sentiment": st.sampled_from(SENTIMENTS),
            "cost": st.sampled_from(COSTS),
            "attempt": st.sampled_from([1, 2, 3, 9, 10, 11, 10**15]),
            "answered": st.booleans(),
            "labels": st.lists(st.sampled_from(LABELS), max_size=3),
            "events": st.dictionaries(st.sampled_from(EVENTS), st.integers(0, 3), max_size=3),
        },
    )

    def in_campaign(call: Content, direction: str, campaign_id: Any) -> Content:
        return {**call, "direction": direction, "campaign_id": campaign_id}

    directions = st.sampled_from(["inbound", "outbound"])
    workspace = {"workspace_id": st.sampled_from(WORKSPACES)}
    label = record(
        "label",
        {"id": st.sampled_from(LABELS), "name": st.sampled_from(["Z", "a", "a"])},
        {"color": st.just("red")},
    )
    room = record(
        "room",
        {
            "id": st.sampled_from(ROOMS),
            **workspace,
            "created_at": st.just(written(scene.edge_ms)),
            "name": st.just("n"),
        },
        {"display_name": st.sampled_from([None, "N"])},
    )
    page = record(
        "booking_page",
        {
            "id": st.sampled_from(ROOMS),
            **workspace,
            "title": st.just("t"),
            "slug": st.sampled_from(["s", ""]),
        },
        {},
    )
    event = record(
        "contact_event",
        {
            **workspace,
            "occurred_at": when,
            "event_type": st.sampled_from(["room_join", "booking", "booking", "x", "_"]),
        },
        {"room_id": st.sampled_from(ROOMS), "booking_page_id": st.sampled_from(ROOMS)},
    )
    return weighted(
        [
            (8, calls),
            (12, st.builds(in_campaign, calls, directions, st.sampled_from(CAMPAIGNS))),
            (
                5,
                record(
                    "lead",
                    {"created_at": when, "status": st.sampled_from(LEAD_STATUSES)},
                    {**owners, "converted": st.booleans()},
                ),
            ),
            (
                1,
                record(
                    "task",
                    {"created_at": when, "status": st.sampled_from(TASK_STATUSES)},
                    {"space_token": st.sampled_from(["s", 6])},
                ),
            ),
            (
                1,
                record(
                    "campaign",
                    {"id": st.sampled_from(CAMPAIGNS), "direction": directions},
                    {},
                ),
            ),
            (2, label),
            (3, room),
            (2, page),
            (6, event),
            (
                1,
                record(
                    "recording",
                    {**workspace, "created_at": when},
                    {"duration_seconds": st.sampled_from(DURATIONS)},
                ),
            ),
            (2, record("contact", {**workspace, "created_at": when}, {})),
            (
                2,
                st.fixed_dictionaries(
                    {
                        "type": st.sampled_from(["call", "lead", "room", "label", "campaign"]),
                        "id": st.sampled_from([*ids, *ROOMS, *LABELS, *CAMPAIGNS]),
                        "deleted": st.just(True),
                    },
                    optional={"updated_at": st.sampled_from(VERSIONS)},
                ),
            ),
        ]
    )


def datasets(scene: Scene) -> st.SearchStrategy[list[Content]]:
    # Of a plain list most would be short.
    one = records(scene)
    return st.integers(0, 40).flatmap(lambda size: st.lists(one, min_size=size, max_size=size + 9))


def multiplied(records: Sequence[Content], copies: int, seed: int) -> list[Content]:
    """Every record `copies` times: under other ids, some at the same time and some near it."""
    random_ = random.Random(seed)
    spread = [0, 0, 1, -1, 999, SECOND_MS, 60_000, HOUR_MS // 4, HOUR_MS, DAY_MS, 3 * DAY_MS]
    bulk = list(records)
    for copy in range(1, copies):
        for record in records:
            names = {"started_at", "created_at", "occurred_at"} & record.keys()
            moved: Content = {"id": f"{record['id']}~{copy}"}
            for name in names:
                shift = random_.choice(spread) * random_.randint(-9, 9)
                moment = instant(record[name], name) + shift
                moved[name] = written(min(max(moment, 0), END_MS - 1))
            bulk.append({**record, **moved})
    return bulk


# ------------------------------------------------------------------ questions


@dataclass(frozen=True)
class Question:
    """One request: the function that answers it, and what it is given."""

    function: str
    path_id: str | None = None
    body: Any = None
    query: Content = field(default_factory=dict)
    now_ms: int | None = None

    def expected(self, oracle: Oracle) -> tuple[int, Any]:
        """The status and what the oracle says of the body."""
        if self.function == "query_analytics":
            return breeze(oracle, self.body)
        if self.function == "get_workspace_analytics":
            assert self.now_ms is not None
            return nexus(oracle, self.path_id or "", self.now_ms, has_query=bool(self.query))
        route = self.function.removeprefix("get_").removesuffix("_analytics")
        return nlpearl(oracle, route, self.path_id or "", self.body)

    @property
    def name(self) -> str:
        """The function, or the type of a Breeze query."""
        query_type = self.body.get("query_type") if isinstance(self.body, dict) else None
        return query_type if isinstance(query_type, str) else self.function

    @property
    def path(self) -> Content:
        names = {
            "get_inbound_analytics": "inboundId",
            "get_outbound_analytics": "outboundId",
            "get_pearl_analytics": "pearlId",
            "get_workspace_analytics": "workspaceId",
        }
        return {names[self.function]: self.path_id} if self.function in names else {}


def offset_bounds(scene: Scene) -> st.SearchStrategy[str]:
    """Instants with `Z` or an offset, with and without a fraction."""

    def bound(moment: int, minutes: int | None, fraction: str) -> str:
        if minutes is None or not DAY_MS <= moment < END_MS - DAY_MS:
            text = utc(moment).isoformat(timespec=fraction).replace("+00:00", "")
            return f"{text}Z"
        shown = utc(moment + minutes * 60_000).isoformat(timespec=fraction).replace("+00:00", "")
        sign = "-" if minutes < 0 else "+"
        return f"{shown}{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"

    minutes = weighted([(2, st.none()), (1, st.sampled_from([0, 60, -150, 330, 345, 630]))])
    return st.builds(bound, moments(scene), minutes, st.sampled_from(["seconds", "milliseconds"]))


def local_bounds(scene: Scene, zone: str) -> st.SearchStrategy[str]:
    """Local dates and times without an offset; some of them never occur, some twice."""

    def bound(moment: int, slip: int, form: str) -> str:
        clock = utc(moment).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        if not 1970 <= clock.year <= 9998:
            clock = utc(moment).replace(tzinfo=None)
        if form == "date":
            return clock.date().isoformat()
        # May lead into a gap.
        return (clock + timedelta(milliseconds=slip)).isoformat(timespec=form)

    slip = weighted(
        [(3, st.just(0)), (1, st.sampled_from([-HOUR_MS, HOUR_MS // 2, -60_000, 1, -1]))]
    )
    forms = st.sampled_from(["date", "date", "seconds", "milliseconds"])
    return st.builds(bound, moments(scene), slip, forms)


BAD_BOUNDS: list[Any] = [
    "2024-02-30",
    "2024-W01",
    "",
    "1969-12-31T23:59:59Z",
    "9999-01-01",
    "2024-02-29t00:00:00Z",
    "2024-02-29T00:00:60Z",
    None,
    1709164800,
]


def breeze_questions(scene: Scene) -> st.SearchStrategy[Question]:
    zone = st.sampled_from([*scene.zones, "UTC", "Africa/Abidjan"])
    return zone.flatmap(lambda name: st.builds(as_breeze, breeze_bodies(scene, name)))


def as_breeze(body: Any) -> Question:
    return Question("query_analytics", body=body)


def maybe(chance: int, of: int, strategy: st.SearchStrategy) -> st.SearchStrategy:
    """A dictionary of the strategy's in `chance` of `of` cases, else an empty one."""
    return weighted([(chance, strategy), (of - chance, st.just({}))])


def breeze_bodies(scene: Scene, zone: str) -> st.SearchStrategy[Any]:
    given_zone = st.just({"timezone": zone})
    no_zone = {"UTC": 1, "Africa/Abidjan": 4}.get(zone, 5)
    bounds = weighted([(1, offset_bounds(scene)), (2, local_bounds(scene, zone))])
    dates = weighted(
        [
            (2, st.just({})),
            (4, st.tuples(bounds, bounds).map(in_order)),
            (1, st.fixed_dictionaries({"date_from": bounds})),
            (1, st.fixed_dictionaries({"date_to": bounds})),
            (1, st.fixed_dictionaries({"date_from": bounds, "date_to": bounds})),
        ]
    )
    owners = {
        "template_id": st.sampled_from(TEMPLATES),
        "merchant_id": st.sampled_from(MERCHANTS),
        "reseller_id": st.sampled_from(RESELLERS),
    }
    one_owner = st.one_of(
        *(st.fixed_dictionaries({name: values}) for name, values in owners.items())
    )
    values = st.fixed_dictionaries(
        {},
        optional={
            # Zero is the least of all, and most of them are in order.
            "min_duration": st.sampled_from([0, *DURATIONS[:5], Decimal("59.0001")]),
            "max_duration": st.sampled_from([*DURATIONS[2:], 10**30]),
            "sentiment_min": st.sampled_from([0, *SENTIMENTS[2:7]]),
            "sentiment_max": st.sampled_from([1, *SENTIMENTS[6:]]),
            "payload_filters": st.dictionaries(
                st.sampled_from([*PAYLOAD_KEYS, "none such"]),
                st.sampled_from([*PAYLOAD_VALUES, Decimal("0.100"), Decimal("1E+101"), "x" * 257]),
                max_size=2,
            ),
        },
    )
    filters = weighted(
        [
            (3, dates),
            (2, merged(dates, one_owner)),
            (2, merged(dates, st.fixed_dictionaries({}, optional=owners))),
            (2, merged(dates, values)),
            (2, merged(dates, values, st.fixed_dictionaries({}, optional=owners))),
            (1, merged(dates, bad_filters)),
        ]
    )
    return merged(
        st.fixed_dictionaries(
            {
                "query_type": weighted(
                    [(4, st.sampled_from(CALL_TYPES)), (1, st.sampled_from(LEAD_TYPES))]
                )
            }
        ),
        maybe(9, 10, st.fixed_dictionaries({"filters": filters})),
        maybe(2, 3, st.fixed_dictionaries({"granularity": st.sampled_from(GRANULARITIES)})),
        maybe(1, 4, st.fixed_dictionaries({"page": st.integers(1, 4)})),
        maybe(1, 3, st.fixed_dictionaries({"page_size": st.sampled_from([1, 2, 7, 1000])})),
        maybe(no_zone, 6, given_zone),
        maybe(1, 25, bad_others),
    )


def merged(*strategies: st.SearchStrategy) -> st.SearchStrategy:
    """One dictionary out of several."""

    def merge(parts: Sequence[Content]) -> Content:
        whole: Content = {}
        for part in parts:
            whole.update(part)
        return whole

    return st.tuples(*strategies).map(merge)


def in_order(bounds: tuple[str, str]) -> Content:
    """Text order is the order of time often enough."""
    first, last = sorted(bounds)
    return {"date_from": first, "date_to": last}


def single(names: Sequence[str], values: Sequence[Any]) -> st.SearchStrategy[Content]:
    return st.builds(
        lambda name, value: {name: value}, st.sampled_from(names), st.sampled_from(values)
    )


bad_filters = st.one_of(
    single(
        ["template_id", "merchant_id", "reseller_id"],
        ["", "x" * 129, "a\x00", Decimal("5.0"), 10**128, None, True, [], {}],
    ),
    single(["date_from", "date_to"], BAD_BOUNDS),
    single(["min_duration", "max_duration"], [-1, Decimal("-0.001"), "5", None, True, [1]]),
    single(["sentiment_min", "sentiment_max"], [-1, Decimal("1.0001"), "0.5", None, False]),
    single(["payload_filters"], [None, [], "a", {"a": []}, {"a": {}}]),
    single(["unknown", "templateId"], [1]),
)
bad_others = st.one_of(
    single(["page"], [0, -1, "1", Decimal("1.0"), None, True]),
    single(["page_size"], [0, 1001, "1", Decimal("2.5"), None, False]),
    single(["granularity"], ["year", "", None, 1, ["day"]]),
    single(["timezone"], ["Europe/Atlantis", "", "+01:00", None, 0, "europe/berlin/"]),
    single(["query_type"], ["calls", None, 1, ["call_count"]]),
    single(["filters"], [None, [], "date_from"]),
    single(["unknown"], [None]),
)


def nlpearl_questions(scene: Scene) -> st.SearchStrategy[Question]:
    bounds = offset_bounds(scene)
    bodies = weighted(
        [
            (
                12,
                st.tuples(bounds, bounds).map(
                    lambda pair: dict(zip(["from", "to"], pair, strict=True))
                ),
            ),
            (
                12,
                st.tuples(bounds, bounds)
                .map(sorted)
                .map(lambda pair: dict(zip(["from", "to"], pair, strict=True))),
            ),
            (1, single(["from", "to"], ["2024-02-29T00:00:00Z"])),
            (
                1,
                st.fixed_dictionaries(
                    {"from": st.sampled_from([*BAD_BOUNDS, "2024-02-29T00:00:00"]), "to": bounds}
                ),
            ),
        ]
    )
    routes = ["get_inbound_analytics", "get_outbound_analytics", "get_pearl_analytics"]
    return st.builds(
        Question,
        st.sampled_from(routes),
        st.sampled_from([*map(str, CAMPAIGNS * 3), "nobody", ""]),
        bodies,
    )


def nexus_questions(scene: Scene) -> st.SearchStrategy[Question]:
    return st.builds(
        Question,
        st.just("get_workspace_analytics"),
        st.sampled_from([*map(str, WORKSPACES * 3), "nobody"]),
        st.none(),
        weighted([(15, st.just({})), (1, st.just({"a": ["1"]}))]),
        st.builds(
            lambda moment, days: max(0, min(END_MS - 1, moment + days * DAY_MS)),
            moments(scene),
            st.sampled_from([0, 0, 1, 28, 29, 30]),
        ),
    )


def questions(scene: Scene) -> st.SearchStrategy[Question]:
    return weighted(
        [(9, breeze_questions(scene)), (4, nlpearl_questions(scene)), (2, nexus_questions(scene))]
    )


# ------------------------------------------------------------------ scenarios


@dataclass(frozen=True)
class Scenario:
    """A dataset and questions about it.

    `spill_bytes` is how much of a breakdown is kept before it is given up (None: as in life).
    """

    records: Sequence[Content]
    questions: Sequence[Question]
    copies: int = 1
    seed: int = 0
    spill_bytes: int | None = None

    def all_records(self) -> list[Content]:
        return multiplied(self.records, self.copies, self.seed)


def scenarios(fewest: int = 15, most: int = 30) -> st.SearchStrategy[Scenario]:
    """Mostly small datasets; some many times as large, some whose breakdowns spill."""

    def of_scene(scene: Scene) -> st.SearchStrategy[Scenario]:
        return st.builds(
            Scenario,
            datasets(scene),
            st.lists(questions(scene), min_size=fewest, max_size=most),
            weighted([(14, st.just(1)), (4, st.integers(2, 4)), (1, st.just(20))]),
            st.integers(0, 2**32),
            weighted([(4, st.none()), (1, st.integers(1, 200))]),
        )

    return st.sampled_from(SCENES).flatmap(of_scene)
