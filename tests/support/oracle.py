"""A brute-force model of Rollcall: what an answer must be, computed the slow and obvious way.

It keeps the winning version of every record in a dictionary and counts them again for every
query. It never imports `rollcall`, so that it cannot repeat its mistakes.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from fractions import Fraction
from math import floor
from typing import Any

from tests.support.record_limits import IDENTIFIER, LIMITS, TEXT

CALL_STATUSES = "queued ringing in_progress completed failed busy no_answer canceled".split()
DISPOSITIONS = (
    "need_retry wrong_country_code need_follow_up voicemail_left successful "
    "unsuccessful wrong_number completed unreachable error"
).split()
TASK_STATUSES = "pending running completed failed hold partially_completed".split()
LEAD_STATUSES = "BACKLOG PROCESSING RETRY FINISHED".split()
EVENTS = "take_message sms_sent call_transferred calendar_booked email_sent".split()

FUTURE_TOLERANCE_MS = 5 * 60 * 1000
MOST_TIMES = 16
MAX_INTEGER = 10**15
MAX_AMOUNT = 10**9


class InvalidOperation(Exception):
    """The record is rejected because of `fields`, one for each fault; the first is `field`."""

    def __init__(self, field: str, message: str = "", *others: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.fields = [field, *others]


class Faults:
    """Collects the fields at fault."""

    def __init__(self) -> None:
        self.fields: list[str] = []

    def checked(self, check: Callable[..., Any], *arguments: Any) -> Any:
        """What a check returns; None, with its fields added, if it refuses."""
        try:
            return check(*arguments)
        except InvalidOperation as refusal:
            self.fields += refusal.fields
            return None

    def refuse(self) -> None:
        if self.fields:
            raise InvalidOperation(self.fields[0], "", *self.fields[1:])


class Tie(Exception):
    """Equal `updated_at`, different content: the content hash decides, and we do not know it."""


# ------------------------------------------------------------------ values


def is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def exact(value: int | float | Decimal) -> Decimal:
    """The decimal number that was written in the JSON text."""
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def rounded(number: Decimal, places: int) -> int:
    """`number` in units of 10^-places, rounded half away from zero."""
    with localcontext(Context(prec=60)):
        step = Decimal(1).scaleb(-places)
        return int(number.quantize(step, ROUND_HALF_UP).scaleb(places))


def ratio(top: int, bottom: int, places: int) -> Decimal:
    """top ÷ bottom, of numbers not below zero, rounded half away from zero; 0 by nothing."""
    if bottom == 0:
        return Decimal(0)
    return Decimal(floor(Fraction(top, bottom) * 10**places + Fraction(1, 2))).scaleb(-places)


def identifier(value: Any, field: str) -> str:
    """Ids are compared by their text: 5 and "5" are one id."""
    if is_integer(value):
        if abs(value) >= 10**128:
            raise InvalidOperation(field, "more than 128 digits")
        return format(value, "d") if value else "0"
    if not isinstance(value, str):
        raise InvalidOperation(field, "neither text nor integer")
    if not 1 <= len(value) <= 128:
        raise InvalidOperation(field, "1 to 128 characters")
    if any(unicodedata.category(character) == "Cc" for character in value):
        raise InvalidOperation(field, "control character")
    return value


def text(value: Any, field: str) -> str:
    if not isinstance(value, str) or len(value) > 256:
        raise InvalidOperation(field, "text of 0 to 256 characters")
    return value


def one_of(choices: Iterable[str]) -> Callable[[Any, str], str]:
    def check(value: Any, field: str) -> str:
        if not isinstance(value, str) or value not in choices:
            raise InvalidOperation(field, f"one of {choices}")
        return value

    return check


def flag(value: Any, field: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidOperation(field, "true or false")
    return value


TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:Z|([+-])([0-9]{2}):([0-9]{2}))"
)


def instant(value: Any, field: str) -> int:
    """Milliseconds since 1970 UTC; digits below the millisecond are cut off."""
    match = TIMESTAMP.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise InvalidOperation(field, "no RFC 3339 timestamp with an offset")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    fraction, sign, offset_hours, offset_minutes = match.groups()[6:]
    if offset_hours and (int(offset_hours) > 23 or int(offset_minutes) > 59):
        raise InvalidOperation(field, "no such offset")
    # Year 9999 may come back into the range, and year 0 is not known to datetime: one step aside.
    if not 1969 <= year <= 9999:
        raise InvalidOperation(field, "years 1970 to 9998")
    try:
        local = datetime(year, month, day, hour, minute, second)
    except ValueError:
        raise InvalidOperation(field, "no such date or time") from None
    milliseconds = (local - datetime(1970, 1, 1)) // timedelta(milliseconds=1)
    milliseconds += int(((fraction or "") + "000")[:3])
    if offset_hours:
        offset = (int(offset_hours) * 60 + int(offset_minutes)) * 60_000
        milliseconds -= offset if sign == "+" else -offset
    first = 0
    end = (datetime(9999, 1, 1) - datetime(1970, 1, 1)) // timedelta(milliseconds=1)
    if not first <= milliseconds < end:
        raise InvalidOperation(field, "years 1970 to 9998")
    return milliseconds


def counting_number(smallest: int) -> Callable[[Any, str], int]:
    def check(value: Any, field: str) -> int:
        if not is_integer(value) or not smallest <= value <= MAX_INTEGER:
            raise InvalidOperation(field, f"an integer from {smallest} to 10^15")
        return int(value)

    return check


def amount(largest: int, places: int) -> Callable[[Any, str], int]:
    """A number from 0 to `largest` as sent, stored in units of 10^-places."""

    def check(value: Any, field: str) -> int:
        if not is_number(value) or not 0 <= exact(value) <= largest:
            raise InvalidOperation(field, f"a number from 0 to {largest}")
        return rounded(exact(value), places)

    return check


def label_set(value: Any, field: str) -> frozenset[str]:
    if not isinstance(value, list):
        raise InvalidOperation(field, "a list of label ids")
    faults = Faults()
    if len(value) > 32:
        faults.fields.append(field)
    labels = [faults.checked(identifier, entry, field) for entry in value]
    faults.refuse()
    return frozenset(labels)


def event_counts(value: Any, field: str) -> dict[str, int]:
    if not isinstance(value, dict):
        raise InvalidOperation(field, "an object")
    faults, counts = Faults(), {}
    for name, count in value.items():
        place = f"{field}.{name}"
        if name in EVENTS:
            counts[name] = faults.checked(counting_number(0), count, place)
        else:
            faults.fields.append(place)
    faults.refuse()
    return {name: count for name, count in counts.items() if count}


def payload_number(value: int | float | Decimal, field: str) -> Decimal:
    number = exact(value)
    if number == 0:
        return Decimal(0)
    _, digits, exponent = number.as_tuple()
    significant = "".join(map(str, digits)).lstrip("0").rstrip("0")
    if len(significant) > 38:
        raise InvalidOperation(field, "more than 38 significant digits")
    if not Decimal("1e-100") <= abs(number) <= Decimal("1e100"):
        raise InvalidOperation(field, "magnitude")
    return number


def payload_entry(value: Any, field: str) -> tuple[str, Any]:
    if value is None:
        return "null", None
    if isinstance(value, bool):
        return "boolean", value
    if isinstance(value, str):
        return "string", text(value, field)
    if is_number(value):
        return "number", payload_number(value, field)
    raise InvalidOperation(field, "a string, number, boolean or null")


def payload_object(value: Any, field: str) -> dict[str, tuple[str, Any]]:
    if not isinstance(value, dict):
        raise InvalidOperation(field, "an object")
    faults, content = Faults(), {}
    if len(value) > 32:
        faults.fields.append(field)
    for key, entry in value.items():
        place = f"{field}.{key}"
        if re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", key):
            content[key] = faults.checked(payload_entry, entry, place)
        else:
            faults.fields.append(place)
    faults.refuse()
    return content


def summary(value: Any, field: str) -> str:
    if not isinstance(value, str) or len(value) > 4_000:
        raise InvalidOperation(field, "text of 0 to 4,000 characters")
    return value


def transcript(value: Any, field: str) -> list[Any]:
    return entries_of(
        value, field, {"role": text, "text": any_text}, {"at_seconds": amount(MAX_AMOUNT, 3)}
    )


def any_text(value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise InvalidOperation(field, "text")
    return value


def address(*schemes: str) -> Callable[[Any, str], str]:
    def check(value: Any, field: str) -> str:
        shape = rf"(?:{'|'.join(schemes)})://[^\s/?#]\S*"
        if not isinstance(value, str) or not re.fullmatch(shape, value):
            raise InvalidOperation(field, f"an address of {schemes}")
        return value

    return check


def links(value: Any, field: str) -> list[Any]:
    return entries_of(value, field, {"name": text, "url": address("https?")}, {})


def entries_of(
    value: Any, field: str, required: Mapping[str, Check], optional: Mapping[str, Check]
) -> list[Any]:
    """A list of objects; every fault in it is of the field of the list."""
    if not isinstance(value, list):
        raise InvalidOperation(field, "a list")
    faults, entries = Faults(), []
    for each in value:
        if not isinstance(each, dict):
            faults.fields.append(field)
            continue
        checks = {**required, **optional}
        entries.append(
            {
                name: faults.checked(check, each[name], field)
                for name, check in checks.items()
                if name in each
            }
        )
        faults.fields += [field for name in required if name not in each]
        faults.fields += [field for name in each if name not in checks]
    faults.refuse()
    return entries


def detail_object(value: Any, field: str) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        raise InvalidOperation(field, "an object")
    faults, content = Faults(), {}
    if len(json_bytes(value)) > 65_536:
        faults.fields.append(field)
    for name, check in DETAIL.items():
        if name in value:
            content[name] = faults.checked(check, value[name], f"{field}.{name}")
    faults.fields += [f"{field}.{name}" for name in value if name not in DETAIL]
    faults.refuse()
    return {name: each for name, each in content.items() if each != []} or None


def json_bytes(value: Any) -> bytes:
    def number(each: Any) -> Any:
        return float(each) if isinstance(each, Decimal) else each

    return json.dumps(value, default=number, ensure_ascii=False, separators=(",", ":")).encode()


COLOR_NAMES = set(
    "black silver gray white maroon red purple fuchsia green lime olive yellow navy blue teal "
    "aqua orange rebeccapurple transparent".split()
)


def color(value: Any, field: str) -> str:
    """Accepts the notations that the tests use: hexadecimal and a few names."""
    shape = r"#(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{4}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})"
    if isinstance(value, str) and (re.fullmatch(shape, value) or value in COLOR_NAMES):
        return value
    raise InvalidOperation(field, "a CSS colour")


def task_status(value: Any, field: str) -> str:
    return one_of(TASK_STATUSES)("running" if value == "in_progress" else value, field)


def event_type(value: Any, field: str) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[a-z0-9_]{1,64}", value):
        raise InvalidOperation(field, "[a-z0-9_]{1,64}")
    return value


def nullable_text(value: Any, field: str) -> str | None:
    return None if value is None else text(value, field)


# ------------------------------------------------------------------ record types

Check = Callable[[Any, str], Any]


@dataclass(frozen=True)
class Type:
    required: Mapping[str, Check]
    optional: Mapping[str, Check]
    time: str | None = None


direction = one_of(["inbound", "outbound"])
seconds = amount(MAX_AMOUNT, 0)
DETAIL: dict[str, Check] = {
    "summary": summary,
    "transcript": transcript,
    "recording_url": address("https"),
    "links": links,
    "from_number": text,
    "to_number": text,
}


def plain_fields(kind: str) -> dict[str, Check]:
    """The ids and the texts of a type, all of them optional, as its limits have them."""
    checks = {id(IDENTIFIER): identifier, id(TEXT): text}
    return {
        name: checks[id(values)] for name, values in LIMITS[kind].items() if id(values) in checks
    }


TYPES: dict[str, Type] = {
    "call": Type(
        {"started_at": instant, "status": one_of(CALL_STATUSES)},
        {
            "disposition": one_of(DISPOSITIONS),
            "direction": direction,
            "campaign_id": identifier,
            **plain_fields("call"),
            "duration_seconds": seconds,
            "latency_ms": counting_number(0),
            "sentiment": amount(1, 3),
            "cost": amount(MAX_AMOUNT, 6),
            "attempt": counting_number(1),
            "answered": flag,
            "labels": label_set,
            "events": event_counts,
            "payload": payload_object,
            "detail": detail_object,
        },
        "started_at",
    ),
    "task": Type(
        {"created_at": instant, "status": task_status}, {"space_token": identifier}, "created_at"
    ),
    "lead": Type(
        {"created_at": instant, "status": one_of(LEAD_STATUSES)},
        {
            "converted": flag,
            "template_id": identifier,
            "merchant_id": identifier,
            "reseller_id": identifier,
            "payload": payload_object,
        },
        "created_at",
    ),
    "space": Type({}, {"name": text, "created_at": instant}),
    "campaign": Type({"direction": direction}, {"name": text, "created_at": instant}),
    "workspace": Type({}, {"name": text, "created_at": instant}),
    "label": Type({"name": text}, {"color": color}),
    "room": Type(
        {"workspace_id": identifier, "created_at": instant, "name": text},
        {"display_name": nullable_text},
        "created_at",
    ),
    "booking_page": Type(
        {"workspace_id": identifier, "title": text, "slug": text}, {"created_at": instant}
    ),
    "recording": Type(
        {"workspace_id": identifier, "created_at": instant},
        {"room_id": identifier, "duration_seconds": seconds},
        "created_at",
    ),
    "contact": Type({"workspace_id": identifier, "created_at": instant}, {}, "created_at"),
    "contact_event": Type(
        {"workspace_id": identifier, "event_type": event_type, "occurred_at": instant},
        {"room_id": identifier, "booking_page_id": identifier},
        "occurred_at",
    ),
}


def with_defaults(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    """The content as it is compared: everything that may be left out filled in."""
    filled = dict.fromkeys([*TYPES[kind].required, *TYPES[kind].optional])
    filled.update(content)
    if kind == "call":
        if filled["attempt"] is None:
            filled["attempt"] = 1
        if filled["answered"] is None:
            filled["answered"] = (
                filled["status"] == "completed"
                and filled["disposition"] != "voicemail_left"
                and filled["duration_seconds"] != 0
            )
        filled["labels"] = filled["labels"] or frozenset()
        filled["events"] = filled["events"] or {}
    if "payload" in filled:
        filled["payload"] = filled["payload"] or {}
    if kind == "label" and filled["color"] is None:
        filled["color"] = "#9e9e9e"
    return filled


@dataclass(frozen=True)
class Version:
    """One record as resolved: `content` is None for a deletion."""

    kind: str
    id: str
    came_as_integer: bool
    updated_at: int | None
    content: dict[str, Any] | None


@dataclass
class Fact:
    """The winning version of one (type, id), and the other times at which it has been."""

    updated_at: int
    content: dict[str, Any] | None
    time: int | None
    came_as_integer: bool
    left: frozenset[int] = frozenset()


def time_of_change(value: Any, now_ms: int) -> int:
    updated_at = instant(value, "updated_at")
    if updated_at > now_ms + FUTURE_TOLERANCE_MS:
        raise InvalidOperation("updated_at", "in the future")
    return updated_at


def resolve(record: Any, now_ms: int) -> Version:
    """Check one record on its own; raise `InvalidOperation` with all fields at fault, in order."""
    if not isinstance(record, dict):
        raise InvalidOperation("record", "no object")
    faults = Faults()
    kind, key, updated_at = record.get("type"), "", None
    if not isinstance(kind, str) or kind not in TYPES:
        kind = None
        faults.fields.append("type")
    if "id" in record:
        key = faults.checked(identifier, record["id"], "id")
    else:
        faults.fields.append("id")
    if "updated_at" in record:
        updated_at = faults.checked(time_of_change, record["updated_at"], now_ms)
    is_deletion = record.get("deleted") is True
    if "deleted" in record and not is_deletion:
        faults.fields.append("deleted")
    content = None
    if kind is not None:
        given = {k: v for k, v in record.items() if k not in COMMON}
        content = fields_of(kind, given, is_deletion, faults)
    faults.refuse()
    assert kind is not None
    return Version(kind, key, is_integer(record["id"]), updated_at, content)


COMMON = ("type", "id", "updated_at", "deleted")


def fields_of(
    kind: str, given: Mapping[str, Any], is_deletion: bool, faults: Faults
) -> dict[str, Any] | None:
    """The content of a record, None for a deletion; adds the fields at fault."""
    checks = {**TYPES[kind].required, **TYPES[kind].optional}
    content = {}
    for name, check in checks.items():
        if is_deletion:
            if name in given:
                faults.fields.append(name)
        elif name in given:
            content[name] = faults.checked(check, given[name], name)
            is_alone = "direction" not in given and given[name] is not None
            if name == "campaign_id" and is_alone:
                faults.fields.append(name)
        elif name in TYPES[kind].required:
            faults.fields.append(name)
    faults.fields += [name for name in given if name not in checks]
    return None if is_deletion or faults.fields else with_defaults(kind, content)


EARLY_STATUSES = {
    "call": ("queued", "ringing", "in_progress"),
    "task": ("pending", "running", "hold"),
    "lead": ("BACKLOG", "PROCESSING", "RETRY"),
}


def progress(kind: str, content: dict[str, Any]) -> int:
    """How far the status of a record is; -1 if its type has none."""
    early = EARLY_STATUSES.get(kind)
    if early is None:
        return -1
    return early.index(content["status"]) if content["status"] in early else len(early)


def unknown_tie(new: dict[str, Any], old: dict[str, Any]) -> bool:
    raise Tie


# ------------------------------------------------------------------ the model


class Oracle:
    """One organisation. `tie(new, old)` says whether new content wins on an equal `updated_at`."""

    def __init__(self, tie: Callable[[dict[str, Any], dict[str, Any]], bool] = unknown_tie) -> None:
        self.facts: dict[tuple[str, str], Fact] = {}
        self.tie = tie

    # ---- writing

    def post(self, records: Any, now_ms: int) -> tuple[int, dict[str, Any] | None]:
        """The status and body of POST /v1/records; without the rejections' free `message`."""
        if not isinstance(records, list) or not 1 <= len(records) <= 500:
            return 400, None
        counts = {"accepted": 0, "unchanged": 0, "stale": 0}
        rejected = []
        for index, record in enumerate(records):
            try:
                counts[self._put(resolve(record, now_ms), now_ms)] += 1
            except InvalidOperation as refusal:
                given = record.get("id") if isinstance(record, dict) else None
                if not isinstance(given, str) and not is_number(given):
                    given = None
                rejected += [
                    {"index": index, "id": given, "field": field} for field in refusal.fields
                ]
        status = 200 if not rejected else 207 if any(counts.values()) else 422
        return status, {**counts, "rejected": rejected}

    def _put(self, version: Version, now_ms: int) -> str:
        key = version.kind, version.id
        stored = self.facts.get(key)
        time_field = TYPES[version.kind].time
        time = version.content[time_field] if version.content and time_field else None
        if stored is None:
            first = now_ms if version.updated_at is None else version.updated_at
            self.facts[key] = Fact(first, version.content, time, version.came_as_integer)
            return "accepted"
        same = version.content == stored.content
        updated_at = version.updated_at
        if updated_at is None:
            if same:
                return "unchanged"
            updated_at = max(now_ms, stored.updated_at + 1)
        if updated_at < stored.updated_at:
            return "stale"
        if updated_at == stored.updated_at:
            if same:
                return "unchanged"
            if not self._wins(version.kind, version.content, stored.content):
                return "stale"
        if time is not None and stored.time is not None:
            times = stored.left | {stored.time, time}
            if len(times) > MOST_TIMES:
                raise InvalidOperation(time_field or "", "changed too often")
            stored.left = times - {time}
        stored.updated_at, stored.content = updated_at, version.content
        stored.came_as_integer = version.came_as_integer
        if time is not None:
            stored.time = time
        return "accepted"

    def _wins(self, kind: str, new: dict[str, Any] | None, old: dict[str, Any] | None) -> bool:
        if new is None or old is None:
            return new is None
        further = progress(kind, new) - progress(kind, old)
        return further > 0 if further else self.tie(new, old)

    def would_tie(self, record: Any, now_ms: int) -> bool:
        """Whether the answer for this record depends on the content hash."""
        try:
            version = resolve(record, now_ms)
        except InvalidOperation:
            return False
        stored = self.facts.get((version.kind, version.id))
        return (
            stored is not None
            and version.content is not None
            and stored.content is not None
            and version.updated_at == stored.updated_at
            and version.content != stored.content
            and progress(version.kind, version.content) == progress(version.kind, stored.content)
        )

    # ---- what is alive

    def live(self, kind: str) -> list[tuple[str, dict[str, Any]]]:
        """(id, content) of every record of this type that is not deleted."""
        return [
            (id, fact.content)
            for (type, id), fact in self.facts.items()
            if type == kind and fact.content is not None
        ]

    def sent_id(self, kind: str, id: str) -> str | int:
        """The id of a record as it goes out: an integer when it came in as one."""
        return int(id) if self.facts[kind, id].came_as_integer else id

    def known_spaces(self) -> set[str]:
        return {scope[1] for scope in self._known() if scope[0] == "space"}

    def known_campaigns(self) -> set[tuple[str, str]]:
        return {(scope[1], scope[2]) for scope in self._known() if scope[0] == "campaign"}

    def known_workspaces(self) -> set[str]:
        return {scope[1] for scope in self._known() if scope[0] == "workspace"}

    def _known(self) -> Counter[tuple[str, ...]]:
        """How many live facts name each space, campaign and workspace."""
        named: Counter[tuple[str, ...]] = Counter()
        for id, _ in self.live("space"):
            named["space", id] += 1
        for id, content in self.live("campaign"):
            named["campaign", content["direction"], id] += 1
        for id, _ in self.live("workspace"):
            named["workspace", id] += 1
        for kind in ("call", "task"):
            for _, content in self.live(kind):
                if content["space_token"] is not None:
                    named["space", content["space_token"]] += 1
        for _, content in self.live("call"):
            if content["campaign_id"] is not None:
                named["campaign", content["direction"], content["campaign_id"]] += 1
        for kind in ("room", "booking_page", "recording", "contact", "contact_event"):
            for _, content in self.live(kind):
                named["workspace", content["workspace_id"]] += 1
        return named

    # ---- Unpod

    def unpod(self, space_token: str | None = None) -> dict[str, Any] | None:
        """The `data` object of Unpod's analytics; None for an unknown space."""
        if space_token is not None and space_token not in self.known_spaces():
            return None
        calls = [content for _, content in self.live("call")]
        tasks = [content for _, content in self.live("task")]
        if space_token is not None:
            calls = [call for call in calls if call["space_token"] == space_token]
            tasks = [task for task in tasks if task["space_token"] == space_token]
        durations = [
            call["duration_seconds"] for call in calls if call["duration_seconds"] is not None
        ]
        average = 0.0
        if durations:
            tenths = (sum(durations) * 20 + len(durations)) // (len(durations) * 2)
            average = float(Decimal(tenths) / 10)
        return {
            "total_calls": len(calls),
            "completed_calls": sum(call["status"] == "completed" for call in calls),
            "failed_calls": sum(call["status"] == "failed" for call in calls),
            "avg_duration_seconds": average,
            "total_tasks": len(tasks),
            "task_status_breakdown": {
                status: sum(task["status"] == status for task in tasks)
                for status in ("pending", "running", "completed", "failed")
            },
        }

    # ---- rollups

    def rollups(self) -> dict[tuple[str, tuple[str, ...], str, Any], int]:
        """Every rollup of docs/data-model.md, counted again: (family, scope, bucket, measure) → value.

        Buckets are "ALL" or "YYYY-MM-DD" (UTC). Only values other than zero are listed, but a
        breakdown's value that occurs is never zero. Measures are a name, or (breakdown, value).
        """
        totals: Counter[tuple[str, tuple[str, ...], str, Any]] = Counter()
        for _, call in self.live("call"):
            self._add_call(totals, call)
        for _, task in self.live("task"):
            scopes: list[tuple[str, ...]] = [("org",)]
            if task["space_token"] is not None:
                scopes.append(("space", task["space_token"]))
            for scope in scopes:
                for bucket in ("ALL", day_of(task["created_at"])):
                    totals["tasks", scope, bucket, "tasks"] += 1
                    totals["tasks", scope, bucket, ("status", task["status"])] += 1
        for _, lead in self.live("lead"):
            for scope in [("org",), *business_scopes(lead)]:
                for bucket in ("ALL", day_of(lead["created_at"])):
                    totals["leads", scope, bucket, "leads"] += 1
                    totals["leads", scope, bucket, ("status", lead["status"])] += 1
                    if lead["status"] == "FINISHED" and lead["converted"]:
                        totals["leads", scope, bucket, "converted"] += 1
        for scope, count in self._known().items():
            totals["known", scope, "ALL", "facts"] += count
        self._add_workspaces(totals)
        return {key: value for key, value in totals.items() if value}

    def _add_call(self, totals: Counter[Any], call: dict[str, Any]) -> None:
        day = day_of(call["started_at"])
        rollups: list[tuple[tuple[str, ...], str]] = [(("org",), "ALL"), (("org",), day)]
        if call["space_token"] is not None:
            rollups += [(("space", call["space_token"]), bucket) for bucket in ("ALL", day)]
        if call["campaign_id"] is not None:
            rollups.append((("campaign", call["direction"], call["campaign_id"]), day))
        rollups += [(scope, day) for scope in business_scopes(call)]
        for scope, bucket in rollups:
            histogram = scope[0] in ("org", "template", "merchant", "reseller")
            for measure, value in call_measures(call, histogram):
                totals["calls", scope, bucket, measure] += value

    def _add_workspaces(self, totals: Counter[Any]) -> None:
        def add(content: dict[str, Any], bucket: str, measure: Any, value: int = 1) -> None:
            totals["workspace", ("workspace", content["workspace_id"]), bucket, measure] += value

        for _, room in self.live("room"):
            add(room, "ALL", "rooms")
        for _, recording in self.live("recording"):
            add(recording, "ALL", "recordings")
            add(recording, "ALL", "seconds", recording["duration_seconds"] or 0)
        for _, contact in self.live("contact"):
            add(contact, "ALL", "contacts")
            add(contact, day_of(contact["created_at"]), "contacts")
        for _, event in self.live("contact_event"):
            add(event, "ALL", ("event_type", event["event_type"]))
            for type, measure, breakdown, field in (
                ("room_join", "room_joins", "room", "room_id"),
                ("booking", "bookings", "page", "booking_page_id"),
            ):
                if event["event_type"] == type:
                    add(event, "ALL", measure)
                    add(event, day_of(event["occurred_at"]), measure)
                    if event[field] is not None:
                        add(event, "ALL", (breakdown, event[field]))


def moment(milliseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)


def day_of(milliseconds: int) -> str:
    return moment(milliseconds).strftime("%Y-%m-%d")


def business_scopes(content: dict[str, Any]) -> list[tuple[str, ...]]:
    names = ("template", "merchant", "reseller")
    return [(name, content[f"{name}_id"]) for name in names if content[f"{name}_id"] is not None]


def call_measures(call: dict[str, Any], histogram: bool) -> list[tuple[Any, int]]:
    """What one call adds to one rollup."""
    attempt = str(call["attempt"]) if call["attempt"] < 10 else "10+"
    measures: list[tuple[Any, int]] = [
        ("calls", 1),
        (("status", call["status"]), 1),
        (("hour", moment(call["started_at"]).hour), 1),
        (("attempt", attempt), 1),
        (("outcome", call["outcome"]), 1),
        (("provider", call["provider"]), 1),
    ]
    if call["answered"]:
        measures.append(("answered", 1))
    if call["duration_seconds"] is not None:
        measures += [("timed", 1), ("seconds", call["duration_seconds"])]
        if histogram:
            measures.append((("duration", call["duration_seconds"]), 1))
    if call["cost"] is not None:
        measures.append(("cost_micros", call["cost"]))
    if call["disposition"] is not None:
        measures.append((("disposition", call["disposition"]), 1))
    if call["disposition"] == "successful":
        measures.append((("attempt_successes", attempt), 1))
    if call["sentiment"] is not None:
        measures.append((("sentiment", min(call["sentiment"] // 200, 4)), 1))
    measures += [(("label", label), 1) for label in call["labels"]]
    measures += [(("event", name), count) for name, count in call["events"].items()]
    return measures
