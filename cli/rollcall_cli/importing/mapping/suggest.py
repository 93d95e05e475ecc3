"""Write a first map for a file, from its header and its first hundred rows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from rollcall.domain.records import RECORD_TYPES, Column, Format
from rollcall.mapping.amounts import read_duration, read_number
from rollcall.mapping.times import read_time, zone_named

ROWS = 100

# What platforms call the fields, without spaces and signs.
_SYNONYMS = {
    "id": "id callid callsid sid uuid uniqueid conversationid callidentifier",
    "updated_at": "updatedat dateupdated modifiedat lastmodified",
    "started_at": "startedat starttime start startdate calldate date datetime time createdat"
    " starttimestamp calltime datecreated timestamp",
    "created_at": "createdat datecreated created date",
    "occurred_at": "occurredat date time timestamp",
    "status": "status callstatus state disposition zustand",
    "duration_seconds": "durationseconds duration callduration durationsec seconds length talktime"
    " durationms durationmin durationminutes billsec dauer calllength",
    "direction": "direction calltype inout richtung",
    "cost": "cost price totalcost charge amount kosten combinedcost",
    "sentiment": "sentiment sentimentscore usersentiment",
    "ended_reason": "endedreason endreason disconnectionreason hangupcause reason",
    "language": "language lang sprache",
    "outcome": "outcome result calloutcome ergebnis",
    "provider": "provider carrier",
    "lead_id": "leadid customerid contactid",
    "campaign_id": "campaignid campaign",
    "template_id": "templateid agentid assistantid",
}
_UNITS = {
    "ms": "milliseconds",
    "milliseconds": "milliseconds",
    "min": "minutes",
    "minutes": "minutes",
}


def suggested(names: Sequence[str], rows: Iterable[Sequence[str]], record_type: str) -> str:
    """A map as TOML: each field with the column that is most likely its own, and the rest in skip."""
    cells = [list(row) for row in rows]
    columns: dict[str, Column | None] = {"id": None}
    columns |= {column.wire_name: column for column in RECORD_TYPES[record_type].paged}
    taken = _chosen(columns, names)
    texts = {name: [row[place].strip() for row in cells] for place, name in enumerate(names)}
    blocks = [
        _head(record_type, names, taken),
        *(_block(field, name, columns[field], texts[name]) for field, name in taken.items()),
    ]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _chosen(fields: Iterable[str], names: Sequence[str]) -> dict[str, str]:
    """The column for each field that has a likely one; no column twice."""
    chosen: dict[str, str] = {}
    for field in fields:
        name = _column_of(field, [each for each in names if each not in chosen.values()])
        if name is not None:
            chosen[field] = name
    return chosen


def _head(record_type: str, names: Sequence[str], taken: dict[str, str]) -> list[str]:
    skipped = [name for name in names if name not in taken.values()]
    required = ["id", *(c.wire_name for c in RECORD_TYPES[record_type].columns if c.is_sent)]
    return [
        "# A first map; check every line, and move columns from skip to fields.",
        f"type = {_quoted(record_type)}",
        '# timezone = "Europe/Berlin"  # of times without one',
        f"skip = [{', '.join(map(_quoted, skipped))}]",
        *(
            f"# {name} is required: add [fields.{name}], or {name} to [constants]"
            for name in required
            if name not in taken
        ),
    ]


def _block(field: str, name: str, column: Column | None, texts: Sequence[str]) -> list[str]:
    hints = _hints(column, name, list(filter(None, texts))) if column else []
    return [f"[fields.{field}]", f"from = {_quoted(name)}", *hints]


def _column_of(field: str, names: Sequence[str]) -> str | None:
    """The column for a field: its own name, then its synonyms, in their order."""
    wanted = [_plain(field), *_SYNONYMS.get(field, "").split()]
    plain = {_plain(name): name for name in reversed(names)}
    return next((plain[each] for each in wanted if each in plain), None)


def _plain(name: str) -> str:
    """The last part of a name or pointer, without spaces, signs and case."""
    return re.sub(r"[^a-z0-9]", "", name.rpartition("/")[2].lower())


def _hints(column: Column, name: str, values: Sequence[str]) -> list[str]:
    match column.format:
        case Format.INSTANT:
            return _time_hint(values)
        case Format.SECONDS | Format.MILLISECONDS:
            return _unit_hint(name, values)
        case Format.CHOICE:
            return _choice_hints(column, values)
        case Format.COST | Format.SENTIMENT if failures := _failures(values, read_number):
            return [f"# {failures} values are no numbers"]
    return []


def _time_hint(values: Sequence[str]) -> list[str]:
    zone = zone_named("UTC")
    failures = {
        style: _failures(values, partial(read_time, zone=zone, style=style))
        for style in (None, "day-first", "month-first")
    }
    style = min(failures, key=lambda each: failures[each])
    lines = [f"time = {_quoted(style)}"] if style else []
    return [*lines, f"# {failures[style]} values are no such times"] if failures[style] else lines


def _unit_hint(name: str, values: Sequence[str]) -> list[str]:
    failures = _failures(values, read_duration)
    lines = [f"# {failures} values are no lengths of time"] if failures else []
    ending = re.split(r"[^a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower().strip(" )"))[-1]
    return [f"unit = {_quoted(_UNITS[ending])}", *lines] if ending in _UNITS else lines


def _choice_hints(column: Column, values: Sequence[str]) -> list[str]:
    known = {re.sub(r"[^a-z]", "", choice.lower()): choice for choice in column.choices}
    distinct = list(dict.fromkeys(values))
    found = {value: known.get(re.sub(r"[^a-z]", "", value.lower())) for value in distinct}
    if all(value == choice for value, choice in found.items()):
        return []
    pairs = [f"{_quoted(value)} = {_quoted(choice)}" for value, choice in found.items() if choice]
    unknown = [value for value, choice in found.items() if choice is None]
    lines = [f"values = {{ {', '.join(pairs)} }}" if pairs else "values = {}"]
    if unknown:
        lines.append(f"# add to values: {', '.join(map(_quoted, unknown))}")
        lines.append(f"# each as one of: {', '.join(column.choices)}")
    return lines


def _failures(values: Sequence[str], read: Callable[[str], object]) -> int:
    """How many values `read` refuses."""
    count = 0
    for value in values:
        try:
            read(value)
        except ValueError:
            count += 1
    return count


def _quoted(text: str) -> str:
    """A TOML basic string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
