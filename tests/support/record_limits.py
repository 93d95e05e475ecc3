"""Values at and beyond the limit of every field of a record."""

from decimal import Decimal
from typing import Any

# Values that are accepted, and values that are refused.
Values = tuple[list[Any], list[Any]]

DIGITS_128, DIGITS_129 = 10**127, 10**128
IDENTIFIER: Values = (
    [
        "a", "x" * 128, "😀" * 128, "é", "a#b", "#", "a b", "a/b", "%2F", "~", "\u200b", "\u2028",
        0, 1, -1, 10**15, DIGITS_128, 10**128 - 1,
    ],
    [
        "", "x" * 129, "😀" * 129, "a\x00", "\x00", "a\nb", "\t", "\x1f", "\x7f", "\x85", "\x9f",
        True, False, 1.0, Decimal("1.50"), None, [], ["a"], {}, {"a": 1}, DIGITS_129, 10**399,
    ],
)  # fmt: skip
TEXT: Values = (
    ["", "x", "x" * 256, "😀" * 256, "N/A", " ", "a\nb"],
    ["x" * 257, "😀" * 257, None, 1, True, [], {}],
)
BOOLEAN: Values = ([True, False], [None, 0, 1, "true", [], {}])
SECONDS: Values = (
    [0, 1, 0.4, 0.5, Decimal("-0.0"), Decimal("59.999999999999999999999"), 10**9,
     Decimal("1e9"), Decimal("1000000000.000"), Decimal("1e-400")],
    [-1, Decimal("-0.001"), 10**9 + 1, Decimal("1000000000.1"), Decimal("1e999999"), 10**399,
     Decimal("-1e999999"), "1", True, None, [], {}],
)  # fmt: skip
TIME: Values = (
    [
        "1970-01-01T00:00:00Z", "9998-12-31T23:59:59.999999999Z", "2024-02-29T23:59:59Z",
        "2024-01-01T00:00:00+00:00", "2024-01-01T00:00:00.1Z", "2024-01-01T00:00:00+23:59",
        "2024-01-01T00:00:00-23:59", "1969-12-31T23:30:00-01:00", "9999-01-01T00:30:00+01:00",
        "2024-01-01T00:00:00.123456789012345678901234567890Z",
    ],
    [
        "1969-12-31T23:59:59.999Z", "1970-01-01T00:59:59+01:00", "9999-01-01T00:00:00Z",
        "9998-12-31T23:30:00-01:00", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
        "10000-01-01T00:00:00Z", "2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z",
        "2024-00-01T00:00:00Z", "2024-01-00T00:00:00Z", "2024-01-32T00:00:00Z",
        "2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z", "2024-01-01T00:00:60Z",
        "2016-12-31T23:59:60Z", "2024-01-01T00:00:00", "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00,5Z", "2024-01-01 00:00:00Z", "2024-01-01t00:00:00Z",
        "2024-01-01T00:00:00z", "2024-01-01T00:00:00Z\x00", "2024-01-01T00:00:00Z\n",
        " 2024-01-01T00:00:00Z", "2024-01-01T00:00Z", "2024-01-01T00Z", "2024-01-01", "2024-W01",
        "2024-W01-1T00:00:00Z", "2024-001T00:00:00Z", "20240101T000000Z",
        "2024-01-01T00:00:00+0100", "2024-01-01T00:00:00+01", "2024-01-01T00:00:00+24:00",
        "2024-01-01T00:00:00+01:60", "2024-01-01T00:00:00 Z", "2024-01-01T00:00:00−01:00",
        "٢٠٢٤-01-01T00:00:00Z", "2024-1-1T0:0:0Z", "+2024-01-01T00:00:00Z", "now", "", 0,
        1704067200, 1704067200.5, True, None, [], {},
    ],
)  # fmt: skip


def choice(*values: str) -> Values:
    return list(values), [values[0].swapcase(), values[0] + " ", "", "x", None, 1, True, [], {}]


LIMITS: dict[str, dict[str, Values]] = {
    "call": {
        "started_at": TIME,
        "status": choice(
            "queued", "ringing", "in_progress", "completed", "failed", "busy", "no_answer",
            "canceled",
        ),
        "disposition": choice(
            "need_retry", "wrong_country_code", "need_follow_up", "voicemail_left", "successful",
            "unsuccessful", "wrong_number", "completed", "unreachable", "error",
        ),
        "direction": choice("inbound", "outbound"),
        "space_token": IDENTIFIER,
        "template_id": IDENTIFIER,
        "merchant_id": IDENTIFIER,
        "reseller_id": IDENTIFIER,
        "lead_id": IDENTIFIER,
        "provider": TEXT,
        "outcome": TEXT,
        "ended_reason": TEXT,
        "language": TEXT,
        "duration_seconds": SECONDS,
        "latency_ms": (
            [0, 1, 850, 10**15],
            [-1, 1.0, Decimal("850.0"), 1.5, 10**15 + 1, "850", True, None, [], {}],
        ),
        "sentiment": (
            [0, 1, 0.0, 1.0, 0.5, Decimal("0.99999999999"), Decimal("-0.0"), Decimal("1e-400")],
            [-0.001, 1.001, Decimal("1.00000000000000000001"), 2, Decimal("1e999999"), "0.5",
             True, None, [], {}],
        ),
        "cost": SECONDS,
        "attempt": (
            [1, 2, 10, 10**15],
            [0, -1, 1.0, Decimal("1.0"), Decimal("1e3"), 1.5, 10**15 + 1, 10**399, "1", True,
             None, [], {}],
        ),
        "answered": BOOLEAN,
        "labels": (
            [[], ["a"], ["a", "a"], [1, "1"], [str(n) for n in range(32)], ["x" * 128]],
            [[str(n) for n in range(33)], [""], [None], [True], [1.0], [["a"]], ["x" * 129],
             ["a\x00"], "a", {"a": 1}, None, 1],
        ),
        "events": (
            [{}, {"take_message": 0}, {"sms_sent": 1, "call_transferred": 2, "calendar_booked": 3,
             "email_sent": 10**15}],
            [{"other": 1}, {"sms_sent": -1}, {"sms_sent": 1.0}, {"sms_sent": 10**15 + 1},
             {"sms_sent": True}, {"sms_sent": "1"}, {"sms_sent": None}, {"": 1}, [], "sms_sent",
             None, 1],
        ),
        "payload": (
            [{}, {"a": None}, {"a": True, "B.c-d_9": False}, {"a": ""}, {"a": "x" * 256},
             {"k" * 64: 1}, {f"k{n}": n for n in range(32)}, {"a": -0.0}, {"a": 10**100},
             {"a": int("9" * 38)}, {"a": -(10**100)}, {"a": Decimal("1e100")},
             {"a": Decimal("1e-100")}, {"a": Decimal("0e999")}, {"a": Decimal("0." + "9" * 38)},
             {"a": 10**50}, {"a": Decimal("1.50")}],
            [{f"k{n}": n for n in range(33)}, {"": 1}, {"k" * 65: 1}, {"a b": 1}, {"é": 1},
             {"a#": 1}, {"a\n": 1}, {"a": "x" * 257}, {"a": []}, {"a": {}}, {"a": [1]},
             {"a": int("9" * 39)}, {"a": Decimal("1.1e100")}, {"a": Decimal("9.9e-101")},
             {"a": Decimal("1e999999")}, {"a": Decimal("1e-999999")}, {"a": 10**399},
             {"a": Decimal("-1e101")}, [], "a", None, 1],
        ),
        "detail": (
            [{}, {"summary": ""}, {"summary": "😀" * 4_000}, {"transcript": []},
             {"transcript": [{"role": "", "text": ""}]},
             {"transcript": [{"role": "agent", "text": "x" * 60_000, "at_seconds": 0}]},
             {"transcript": [{"role": "x" * 256, "text": "x", "at_seconds": Decimal("1.23456")}]},
             {"transcript": [{"role": "a", "text": "b", "at_seconds": 10**9}]},
             {"recording_url": "https://a"}, {"recording_url": "https://é.example/a?b=c#d"},
             {"links": []}, {"links": [{"name": "x", "url": "http://a/b"}]},
             {"from_number": "x" * 256, "to_number": ""}],
            [{"summary": "x" * 4_001}, {"summary": None}, {"summary": 1}, {"other": 1},
             {"transcript": {}}, {"transcript": ["x"]}, {"transcript": [{"role": "a"}]},
             {"transcript": [{"text": "a"}]}, {"transcript": [{"role": "a", "text": "b", "at": 1}]},
             {"transcript": [{"role": "a", "text": "b", "at_seconds": -1}]},
             {"transcript": [{"role": "a", "text": "b", "at_seconds": Decimal("1e999999")}]},
             {"transcript": [{"role": "a", "text": "b", "at_seconds": "1"}]},
             {"transcript": [{"role": "a", "text": None}]},
             {"transcript": [{"role": "a", "text": "x" * 66_000}]},
             {"recording_url": "http://a"}, {"recording_url": "https://"}, {"recording_url": "a"},
             {"recording_url": "https://a b"}, {"recording_url": ""}, {"recording_url": None},
             {"links": [{"name": "x", "url": "javascript:alert(1)"}]}, {"links": [{"url": "a"}]},
             {"links": [{"name": "x", "url": "https://a", "more": 1}]}, {"links": "https://a"},
             {"from_number": "x" * 257}, {"to_number": 4915}, [], "x", None, 1, True],
        ),
    },
    "task": {
        "created_at": TIME,
        "status": choice(
            "pending", "running", "completed", "failed", "hold", "partially_completed",
            "in_progress",
        ),
        "space_token": IDENTIFIER,
    },
    "lead": {
        "created_at": TIME,
        "status": choice("BACKLOG", "PROCESSING", "RETRY", "FINISHED"),
        "converted": BOOLEAN,
        "template_id": IDENTIFIER,
        "merchant_id": IDENTIFIER,
        "reseller_id": IDENTIFIER,
        "payload": ([{}, {"a": 1}], [{"a": []}, None, []]),
    },
    "space": {"name": TEXT, "created_at": TIME},
    "campaign": {
        "direction": choice("inbound", "outbound"),
        "name": TEXT,
        "created_at": TIME,
    },
    "workspace": {"name": TEXT, "created_at": TIME},
    "label": {
        "name": TEXT,
        "color": (
            ["#9e9e9e", "#FFF", "#abcd", "#12345678", "red", "rebeccapurple"],
            ["", "#12", "#ggg", "#12345", "9e9e9e", "no such colour", "red;", "x" * 300, None, 1,
             True, [], {}],
        ),
    },
    "room": {
        "workspace_id": IDENTIFIER,
        "created_at": TIME,
        "name": TEXT,
        "display_name": ([*TEXT[0], None], [value for value in TEXT[1] if value is not None]),
    },
    "booking_page": {
        "workspace_id": IDENTIFIER,
        "title": TEXT,
        "slug": TEXT,
        "created_at": TIME,
    },
    "recording": {
        "workspace_id": IDENTIFIER,
        "created_at": TIME,
        "room_id": IDENTIFIER,
        "duration_seconds": SECONDS,
    },
    "contact": {"workspace_id": IDENTIFIER, "created_at": TIME},
    "contact_event": {
        "workspace_id": IDENTIFIER,
        "event_type": (
            ["room_join", "booking", "a", "_", "0", "x" * 64],
            ["", "x" * 65, "A", "a b", "a-b", "é", "a\n", None, 1, True, [], {}],
        ),
        "occurred_at": TIME,
        "room_id": IDENTIFIER,
        "booking_page_id": IDENTIFIER,
    },
}  # fmt: skip
REQUIRED = {
    "call": ["started_at", "status"],
    "task": ["created_at", "status"],
    "lead": ["created_at", "status"],
    "space": [],
    "campaign": ["direction"],
    "workspace": [],
    "label": ["name"],
    "room": ["workspace_id", "created_at", "name"],
    "booking_page": ["workspace_id", "title", "slug"],
    "recording": ["workspace_id", "created_at"],
    "contact": ["workspace_id", "created_at"],
    "contact_event": ["workspace_id", "event_type", "occurred_at"],
}
