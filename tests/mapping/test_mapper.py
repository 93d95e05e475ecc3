"""Maps without a file: one document in, the values of its fields out, or what is wrong with it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from rollcall.api.records.documents import parse_record
from rollcall.mapping.fields import Fault
from rollcall.mapping.mapper import Mapper, pointed
from rollcall.mapping.maps import BadMap, parse_map, preset_names, preset_text

HEAD = '[fields.id]\nfrom = "/id"\n[fields.status]\nvalue = "completed"\n'


def record(text: str, document: dict[str, Any]) -> Any:
    """The record of a document, or its faults."""
    made = Mapper(parse_map(HEAD + text, "map"), None).record(lambda name: pointed(document, name))
    return json.loads(made) if isinstance(made, bytes) else made


@pytest.mark.parametrize(
    ("document", "started_at"),
    [
        ({"end": "2026-11-21T12:00:15Z", "seconds": "15"}, "2026-11-21T12:00:00.000Z"),
        ({"end": 1795262415, "seconds": Decimal("1.25")}, "2026-11-21T12:00:13.750Z"),
        ({"end": "Sat, 21 Nov 2026 12:00:15 +0000"}, "2026-11-21T12:00:15.000Z"),
    ],
)
def test_minus_takes_seconds_from_a_time(document, started_at):
    rule = '[fields.started_at]\nfrom = "/end"\nminus = "/seconds"\n'
    assert record(rule, {"id": "a", **document})["started_at"] == started_at


def test_what_minus_names_must_be_a_length_of_time():
    rule = '[fields.started_at]\nfrom = "/end"\nminus = "/seconds"\n'
    (fault,) = record(rule, {"id": "a", "end": 1795262415, "seconds": "soon"})
    assert "length of time" in fault.message
    (early,) = record(rule, {"id": "a", "end": 1795262415, "seconds": "9" * 30})
    assert "years 1970" in early.message or "1970" in early.message
    assert fault == Fault("started_at", '"1795262415" must be a length of time', "/end")


@pytest.mark.parametrize(("value", "count"), [([1, 2, 3], 3), ([], None), ("three", None)])
def test_count_is_the_number_of_entries(value, count):
    rule = '[fields."events.sms_sent"]\nfrom = "/sent"\ncount = true\n'
    made = record(rule + '[fields.started_at]\nvalue = "2026-11-21"\n', {"id": "a", "sent": value})
    assert isinstance(made, tuple)  # a date without a zone
    rule += "[fields.started_at]\nvalue = 1795262415\n"
    assert record(rule, {"id": "a", "sent": value}).get("events", {}).get("sms_sent") == count


def test_every_preset_is_a_map():
    for name in preset_names():
        assert parse_map(preset_text(name), name).fields


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("color = 1", "color: is not a key of a map"),
        ("fields = 1", "fields"),
        ("=", "map: "),
        ('type = "planet"\n[fields]', "type: must be one of call"),
    ],
)
def test_a_map_that_is_wrong_names_the_key(text, message):
    with pytest.raises(BadMap) as refused:
        parse_map(text, "map")
    assert message in str(refused.value)


def test_a_preset_that_is_unknown_names_the_known_ones():
    with pytest.raises(BadMap, match="retell-json"):
        preset_text("retell")


def test_a_mapped_document_is_a_record():
    rule = '[fields.started_at]\nfrom = "/at"\n[fields.cost]\nfrom = "/cents"\nunit = "cents"\n'
    made = Mapper(parse_map(HEAD + rule, "map"), None).record(
        lambda name: pointed({"id": 5, "at": 1795262400, "cents": Decimal("12.5")}, name)
    )
    assert isinstance(made, bytes)
    from rollcall.api import strict_json

    change = parse_record(strict_json.loads(made))
    assert (change.id, change.record.started_at_ms) == ("5", 1_795_262_400_000)
    assert change.record.cost_micros == 125_000
