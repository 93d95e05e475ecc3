"""Every query to every analytics function has the answer that brute force gives.

Each query is answered twice: from rollups where they suffice, and from the ledger alone.
`python -m tests.long_run` asks thousands of datasets.
"""

from __future__ import annotations

import os
from collections import Counter
from decimal import Decimal
from random import Random
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.long_run import DIALECTS, NOW_MS, ask_many
from tests.support.agreement import check, check_scenario, spilling
from tests.support.answering import deployed
from tests.support.builders import OMIT, booking_page, call, contact_event, lead, room
from tests.support.cases import cases
from tests.support.oracle import Oracle, instant
from tests.support.oracle_breeze import (
    CALL_TYPES,
    DURATIONS,
    GRANULARITIES,
    LEAD_TYPES,
    ROWS,
    SENTIMENTS,
)
from tests.support.oracle_zones import local
from tests.support.queries_of_dialects import scenario
from tests.support.rollup_items import marks_of
from tests.support.scenes import SCENES, Query, written

pytestmark = pytest.mark.property


ZONES = sorted({zone for scene in SCENES for zone in scene.zones})


@pytest.fixture(scope="module")
def deployment():
    with deployed(NOW_MS) as made:
        yield made


def breeze(query_type, filters=None, **more):
    return Query(
        "query_analytics", body={"query_type": query_type, "filters": filters or {}, **more}
    )


def check_all(deployment, records, queries):
    deployment.now_ms = NOW_MS
    oracle = Oracle()
    org_id = deployment.organisation(records, oracle)
    return Counter(check(deployment, org_id, oracle, query) for query in queries)


@cases(8)  # test_many_queries has thousands
@given(st.randoms(use_true_random=False))
def test_answers_equal_brute_force(deployment, random):
    check_scenario(deployment, scenario(random, queries=10), NOW_MS)


@pytest.mark.slow
def test_many_queries(deployment):
    seed = int(os.environ.get("ROLLCALL_TEST_SEED", "1"))
    print(f"seed {seed}: ROLLCALL_TEST_SEED={seed} replays it")
    seen = ask_many(deployment, DIALECTS, seed, datasets=100, queries=25)
    assert {name for name, source in seen if source in ("rollups", "mixed")} >= set(ROWS)
    assert {name for name, source in seen if source == "ledger"} >= set(ROWS)
    assert {source for _, source in seen} == {
        *("rollups", "mixed", "ledger"),
        *("400", "403", "404", "422"),
    }


# ------------------------------------------------------------------ edges, one by one


@pytest.mark.representatives(4)
@pytest.mark.parametrize("zone", ZONES)
def test_every_zone_at_every_edge(deployment, zone):
    """Calls a millisecond before and at each scene's edge and at the midnights around it."""
    for scene in SCENES:
        if zone not in scene.zones:
            continue
        moments = {
            min(max(scene.edge_ms + days * 86_400_000 + slip, 0), 253_370_764_799_999)
            for days in (-1, 0, 1)
            for slip in (-3_600_000, -60_000, -1, 0, 59_999, 1_800_000)
        }
        records = [call(str(n), started_at=written(moment)) for n, moment in enumerate(moments)]
        queries = [
            breeze("calls_over_time", granularity=granularity, timezone=zone, page_size=1000)
            for granularity in GRANULARITIES
        ]
        for moment in sorted(moments)[:6]:
            day = local(moment, ZoneInfo(zone)).date().isoformat()
            queries += [
                breeze("hourly_heatmap", {"date_from": day, "date_to": day}, timezone=zone),
                breeze("calls_over_time", {"date_from": day}, timezone=zone),
                breeze("calls_over_time", {"date_to": day}, timezone=zone),
                breeze(
                    "calls_over_time",
                    {"date_from": day, "date_to": day},
                    granularity="hour",
                    timezone=zone,
                ),
            ]
        check_all(deployment, records, queries)


def test_midnight_that_comes_twice(deployment):
    records = [
        call("1", started_at="2010-11-07T02:30:59.999Z", duration_seconds=1),
        call("2", started_at="2010-11-07T03:30:00Z"),
    ]
    check_all(
        deployment,
        records,
        [
            breeze(query_type, filters, timezone="America/St_Johns", granularity=granularity)
            for query_type in ("calls_over_time", "avg_duration_over_time")
            for granularity in GRANULARITIES
            for filters in ({}, {"date_from": "2010-11-07"}, {"date_to": "2010-11-06"})
        ],
    )


@pytest.mark.slow
def test_eight_thousand_years(deployment):
    records = [
        call("first", started_at="1970-01-01T00:00:00Z"),
        call("last", started_at="9998-12-31T23:59:59.999Z", duration_seconds=10**9),
    ]
    queries = [
        breeze("calls_over_time", granularity=granularity, timezone=zone, page=page)
        for granularity in GRANULARITIES
        for zone in ("UTC", "Africa/Abidjan")
        for page in (1, 1_000, 10**30)
    ]
    check_all(deployment, records, queries)


def test_the_longest_ranges(deployment):
    records = [call("1", started_at="2024-02-29T00:00:00Z"), lead("1")]
    ends = ["2025-02-03", "2025-02-04", "2025-02-04T00:59:59Z", "2025-02-04T01:00:00Z"]
    queries = [
        breeze(query_type, {"date_from": "2024-01-01", "date_to": end}, granularity="hour", **zone)
        for query_type in ("call_count", "status_distribution", "calls_over_time")
        for end in ends
        for zone in ({}, {"timezone": "UTC"}, {"timezone": "Europe/Berlin"})
    ]
    queries += [
        Query("get_pearl_analytics", "c", {"from": "2024-01-01T00:00:00Z", "to": to})
        for to in ("2024-03-31T23:59:59Z", "2024-04-01T00:00:00Z")
    ]
    records.append(call("2", campaign_id="c", direction="inbound"))
    assert {"400", "422"} < check_all(deployment, records, queries).keys()


def test_halves_are_rounded_away_from_zero(deployment):
    """1 of 32 is 3.125 %, 1 s over 8 calls 0.125 s, 0.00005 is 0.0001."""
    records = [
        call(
            number,
            outcome="once" if number == 0 else "often",
            provider="q" if number == 0 else "p",
            disposition="successful" if number == 0 else OMIT,
            sentiment=Decimal("0.1") if number == 0 else Decimal("0.5"),
            duration_seconds=OMIT if number >= 8 else int(number == 0),
            cost=Decimal("0.00005") if number == 0 else OMIT,
            campaign_id="c",
            direction="outbound",
        )
        for number in range(32)
    ]
    records += [lead(number, status="FINISHED" if number else "RETRY") for number in range(32)]
    period = {"from": "2024-03-05T00:00:00Z", "to": "2024-03-05T23:59:59Z"}
    queries = [breeze(query_type) for query_type in ROWS]
    check_all(deployment, records, [*queries, Query("get_pearl_analytics", "c", period)])


@pytest.mark.slow
def test_sums_beyond_64_bits(deployment):
    records = [
        call(
            number,
            campaign_id="c",
            direction="inbound",
            cost=Decimal("999999999.999999"),
            duration_seconds=10**9,
            attempt=10**15,
            events={"sms_sent": 10**15},
        )
        for number in range(9_500)
    ]
    period = {"from": "2024-03-05T00:00:00Z", "to": "2024-03-05T23:59:59Z"}
    part = {"from": "2024-03-05T00:00:01Z", "to": "2024-03-05T23:59:59Z"}
    check_all(
        deployment,
        records,
        [
            Query("get_inbound_analytics", "c", period),
            Query("get_inbound_analytics", "c", part),
            breeze("call_duration"),
            breeze("avg_duration_over_time"),
            breeze("retry_analysis"),
        ],
    )


def test_many_calls_at_one_instant(deployment):
    """Pages split by id where the time does not tell rows apart."""
    noon = "2024-03-05T12:00:00.000Z"
    records = [call(number, started_at=noon, provider="p" * 200) for number in range(600)]
    records += [
        call("before", started_at="2024-03-05T11:59:59.999Z"),
        call("after", started_at="2024-03-05T12:00:00.001Z"),
    ]
    bounds = ["2024-03-05T11:59:59.999Z", noon, "2024-03-05T12:00:00.001Z"]
    queries = [
        breeze("call_count", {"date_from": bounds[first], "date_to": bounds[last]})
        for first in range(3)
        for last in range(first, 3)
    ]
    check_all(deployment, records, queries)


@pytest.mark.representatives(3)
@pytest.mark.parametrize("seed", range(12))
def test_pages_that_split_meanwhile(deployment, seed):
    """Reads may find earlier versions of some pages; no row is lost or doubled."""
    random = Random(seed)
    midnight = instant("2024-03-05T00:00:00Z", "midnight")

    def some_time():
        return midnight + random.randint(0, 86_400_000)

    def some_calls(template_id):
        return [
            call(
                f"{template_id} {number}",
                started_at=written(some_time()),
                template_id=template_id,
                duration_seconds=random.randint(0, 99),
            )
            for number in range(150)
        ]

    oracle = Oracle()
    with patch.object(deployment.store.limits, "answer_bytes", 1):  # one page at a time
        org_id = deployment.organisation(some_calls("old"), oracle)
        deployment.store.lag_behind(random)
        deployment.add(some_calls("new"), oracle)
        for _ in range(15):
            first, last = sorted((some_time(), some_time()))
            period = {"date_from": written(first), "date_to": written(last)}
            only_old = {"template_id": "old", "min_duration": 0}
            check(deployment, org_id, oracle, breeze("call_duration", {**only_old, **period}))


@pytest.mark.slow
def test_breakdowns_that_spill(deployment):
    """Outcomes, providers, labels and durations of calls, and rooms and event types of a workspace."""
    records = []
    for number in range(300):
        text = f"{number:03d}" + "é" * 100
        records.append(
            call(
                number,
                outcome=text,
                provider=text[::-1],
                labels=[text[:100], "x"],
                campaign_id="c",
                direction="outbound",
                template_id="t",
            )
        )
        records.append(room(number))
        records.append(contact_event(f"{text} join", room_id=number, event_type="room_join"))
        records.append(contact_event(f"{text} other", event_type=f"{number:064d}"))
    records += [
        booking_page("p"),
        contact_event("b", event_type="booking", booking_page_id="p"),
        call("other day", started_at="2024-03-06T00:00:00Z", outcome="o"),
    ]
    day = {"date_from": "2024-03-05", "date_to": "2024-03-06"}
    period = {"from": "2024-03-05T00:00:00Z", "to": "2024-03-06T23:59:59Z"}
    queries = [
        *(
            breeze(query_type, {**filters, **owner}, page_size=1000)
            for query_type in ("outcome_distribution", "top_outcomes", "provider_breakdown")
            for filters in ({}, day, {"date_from": "2024-03-05T01:00:00Z"})
            for owner in ({}, {"template_id": "t"})
        ),
        Query("get_outbound_analytics", "c", period),
        Query("get_workspace_analytics", "workspace-1", now_ms=NOW_MS),
    ]
    # So few that the breakdowns of each bucket spill.
    with spilling(60):
        sources = check_all(deployment, records, queries)
    items = [item for items in deployment.store.snapshot().values() for item in items.values()]
    spilled = {name for item in items for name in marks_of(item.attributes)}
    assert spilled >= {"o", "p", "l", "e", "r"}
    assert sources["mixed"] > 5


@pytest.mark.slow
def test_every_type_with_every_filter_alone(deployment):
    records = [
        call(
            number,
            started_at=f"2024-02-{28 + number % 2}T{number % 24:02d}:59:59.999Z",
            template_id=number % 3,
            merchant_id=number % 2,
            reseller_id="r",
            duration_seconds=number,
            sentiment=Decimal(number) / 50,
            payload={"k": number % 4},
            outcome=str(number % 5),
        )
        for number in range(48)
    ]
    records += [
        lead(number, status=status, template_id=number % 3, converted=True, payload={"k": 1})
        for number, status in enumerate(("BACKLOG", "PROCESSING", "RETRY", "FINISHED") * 3)
    ]
    filters = [
        {"template_id": 1},
        {"merchant_id": "0"},
        {"reseller_id": "r"},
        {"date_from": "2024-02-29"},
        {"date_to": "2024-02-29T12:00:00"},
        {"min_duration": Decimal("10.5")},
        {"max_duration": 40},
        {"sentiment_min": Decimal("0.2")},
        {"sentiment_max": Decimal("0.8")},
        {"payload_filters": {"k": 1}},
    ]
    check_all(
        deployment,
        records,
        [
            breeze(query_type, {**one, **other})
            for query_type in CALL_TYPES + LEAD_TYPES
            for one in filters
            for other in filters
        ],
    )


# ------------------------------------------------------------------ odd values

ODD_ZONES = """
    Africa/Monrovia America/Anchorage Antarctica/Troll Africa/Casablanca Asia/Gaza Europe/Dublin
    Pacific/Kwajalein Etc/GMT+12 Etc/GMT-14 EST5EDT America/Godthab Antarctica/Vostok
""".split()
NO_ZONES = [
    *("posix/Europe/Berlin", "right/UTC", "posixrules", "EUROPE/BERLIN", "zone.tab", "utc", "Z"),
    *("Europe/Berlin ", "UTC\n", "\x00", "é" * 300),
]
ODD_FILTERS = [
    *({name: Decimal(f"1E{sign}999999")} for name in DURATIONS for sign in "+-"),
    *({name: Decimal(f"1.{'0' * 300}1")} for name in SENTIMENTS),
    *({name: Decimal(f"0.{'9' * 300}")} for name in SENTIMENTS),
    *({"template_id": sign * int("9" * digits)} for sign in (1, -1) for digits in (128, 129, 500)),
    *({"template_id": value} for value in (0, "-0", Decimal("-0.0"))),
    *(
        {"payload_filters": {"a": value}}
        for value in (
            *map(Decimal, "1.00 1E-999999 1E+999999 0E+999999".split()),
            *(10**100, 10**500, "x" * 256, "x" * 257, "n1", "s1"),
        )
    ),
    {"payload_filters": {str(number): 1 for number in range(33)}},
    *({"payload_filters": {key: value}} for key in ("", "a b", "x" * 65) for value in (1, [])),
    *(
        {name: text}
        for name in ("date_from", "date_to")
        for text in (
            *("1970-01-01T00:00:00." + "9" * 400 + "Z", "9998-12-31T23:59:59.9999999Z"),
            *(
                "2024-02-29T00:00:00+24:00",
                "2024-02-29T00:00:00-23:59",
                "2024-02-29T00:00:00+00:60",
            ),
            *(
                "２０２４-02-29",
                "2024-02-29\n",
                " 2024-02-29",
                "+2024-02-29",
                "2024-060",
                "20240229",
            ),
            *("2024-02-29T00:00:00Z\x00", "0001-01-01", "0000-01-01", "10000-01-01"),
        )
    ),
]


def test_odd_filters(deployment):
    records = [
        call(
            number,
            duration_seconds=number,
            sentiment=Decimal(number) / 2,
            template_id=int("9" * 128),
            payload={"a": value},
        )
        for number, value in enumerate((1, 10**100, "x" * 256))
    ]
    queries = [
        breeze(query_type, odd)
        for query_type in ("call_count", "conversion_funnel")
        for odd in ODD_FILTERS
    ]
    queries += [breeze("call_count", page=page) for page in (10**30, 10**399)]
    check_all(deployment, records, queries)


@pytest.mark.slow
def test_odd_zones(deployment):
    times = [
        *("1970-01-01T00:00:00Z", "1972-01-07T00:44:29.999Z", "1972-01-07T00:44:30Z"),
        *("1993-08-21T11:59:59.999Z", "1993-08-21T12:00:00Z", "2024-03-31T00:59:59.999Z"),
    ]
    records = [call(number, started_at=time) for number, time in enumerate(times)]
    queries = [breeze("call_count", timezone=zone) for zone in NO_ZONES]
    for zone in ODD_ZONES:
        queries += [
            breeze("calls_over_time", granularity=granularity, timezone=zone, page_size=1000)
            for granularity in GRANULARITIES
        ]
        queries += [
            breeze(
                "calls_over_time",
                {"date_from": day, "date_to": day},
                granularity="hour",
                timezone=zone,
            )
            for day in ("1970-01-01", "1972-01-07", "1993-08-21", "2024-03-31", "9998-12-31")
        ]
    check_all(deployment, records, queries)


def test_a_date_that_was_left_out(deployment):
    records = [
        call(1, started_at="2011-12-30T09:59:59.999Z"),
        call(2, started_at="2011-12-30T10:00:00Z"),
    ]
    bounds = [None, "2011-12-29", "2011-12-30", "2011-12-31", "2011-12-30T12:00:00"]
    queries = []
    for first in bounds:
        for last in bounds:
            ends = {"date_from": first, "date_to": last}
            filters = {name: end for name, end in ends.items() if end}
            queries += [
                breeze("calls_over_time", filters, timezone="Pacific/Apia", granularity=granularity)
                for granularity in GRANULARITIES
            ]
    check_all(deployment, records, queries)


@pytest.mark.parametrize("id", ["a/b", "%2F", "é😀", "x" * 128, "x" * 129, "", "a\x00", "#~"])
def test_odd_ids_in_paths(deployment, id):
    records = [call("another")]
    if 1 <= len(id) <= 128 and "\x00" not in id:
        records += [call(1, campaign_id=id, direction="inbound"), room(1, workspace_id=id)]
    period = {"from": "2024-03-05T00:00:00Z", "to": "2024-03-05T12:00:00Z"}
    queries = [
        Query(f"get_{route}_analytics", id, body)
        for route in ("inbound", "outbound", "pearl")
        for body in (period, {}, {**period, "unknown": 1})
    ]
    queries += [
        Query("get_workspace_analytics", id, query=query, now_ms=now_ms)
        for query in ({}, {"x": [""]})
        for now_ms in (0, NOW_MS)
    ]
    check_all(deployment, records, queries)
