"""Convert a value of a document or a file to JSON text of the format that a field has."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from rollcall.api import strict_json
from rollcall.domain.records import Format
from rollcall.domain.time.calendar import format_instant
from rollcall.mapping.amounts import SECONDS_OF, read_duration, read_number
from rollcall.mapping.maps import Rule
from rollcall.mapping.times import read_time
from rollcall.mapping.transcripts import turns_of

_TRUE = ("true", "yes", "y", "1")
_FALSE = ("false", "no", "n", "0")


@dataclass(slots=True)
class Settings:
    """What holds for a whole file; `unclear` counts local times that occur twice or never."""

    zone: ZoneInfo | None
    decimal: str
    currency: str | None = None
    unclear: int = 0


Converts = Callable[[object, Rule, Settings], str]


def text_of(value: object) -> str:
    """A value of a file as text: that of a cell, or of a JSON value as it stands in the file."""
    return value if isinstance(value, str) else strict_json.dumps(value)


def conversion_of(field: str, formats: dict[str, Format]) -> Converts:
    """How the values of a field are converted. What is returned raises ValueError with the broken rule."""
    group, dot, key = field.partition(".")
    if group == "payload" and dot:
        ending = key.rpartition(":")[2]
        return {"number": _number, "boolean": _boolean}.get(ending, _payload)
    if field == "detail.transcript":
        return _transcript
    format = Format.INSTANT if field == "updated_at" else formats.get(group, Format.TEXT)
    return _CONVERSIONS.get(format, _text)


def _text(value: object, _rule: Rule, _settings: Settings) -> str:
    if isinstance(value, dict | list):
        raise ValueError("must be a text or a number, not a list or an object")
    return json.dumps(text_of(value).strip(), ensure_ascii=False)


def _payload(value: object, rule: Rule, settings: Settings) -> str:
    if isinstance(value, str | dict | list):
        return _text(value, rule, settings)
    return strict_json.dumps(value)


def _instant(value: object, rule: Rule, settings: Settings) -> str:
    return f'"{format_instant(instant_ms(value, rule, settings))}"'


def instant_ms(value: object, rule: Rule, settings: Settings) -> int:
    """The instant of a value, in milliseconds since 1970 UTC. Raises ValueError."""
    time = read_time(text_of(value), settings.zone, rule.time)
    settings.unclear += time.is_unclear
    return time.instant_ms


def seconds_of(value: object, settings: Settings) -> Decimal:
    """The seconds of a length of time. Raises ValueError."""
    return read_duration(text_of(value), "seconds", _mark(value, settings))


def _seconds(value: object, rule: Rule, settings: Settings) -> str:
    seconds = read_duration(text_of(value), rule.unit or "seconds", _mark(value, settings))
    return number_text(abs(seconds) if rule.absolute else seconds)


def _milliseconds(value: object, rule: Rule, settings: Settings) -> str:
    unit = rule.unit or "milliseconds"
    seconds = read_duration(text_of(value), unit, _mark(value, settings))
    return number_text((seconds / SECONDS_OF["milliseconds"]).to_integral_value(ROUND_HALF_UP))


def _number(value: object, rule: Rule, settings: Settings) -> str:
    number = read_number(text_of(value), _mark(value, settings))
    if rule.unit in ("cents", "percent"):
        number /= 100
    return number_text(abs(number) if rule.absolute else number)


def _mark(value: object, settings: Settings) -> str:
    """The decimal mark of a value: that of the file in a text; a number of JSON has a point."""
    return settings.decimal if isinstance(value, str) else "."


def _boolean(value: object, _rule: Rule, _settings: Settings) -> str:
    text = text_of(value).strip().lower()
    if text not in _TRUE + _FALSE:
        raise ValueError("must be true or false, yes or no, 1 or 0")
    return "true" if text in _TRUE else "false"


def _transcript(value: object, _rule: Rule, _settings: Settings) -> str:
    return strict_json.dumps(turns_of(value))


def _list(value: object, rule: Rule, _settings: Settings) -> str:
    entries = value if isinstance(value, list) else text_of(value).split(rule.split)
    texts = [text_of(entry).strip() for entry in entries]
    return json.dumps([text for text in texts if text], ensure_ascii=False)


def number_text(number: Decimal) -> str:
    """A number as JSON text, without zeros at the end of its fraction."""
    shown = format(number, "f")
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


_CONVERSIONS: dict[Format, Converts] = {
    Format.INSTANT: _instant,
    Format.SECONDS: _seconds,
    Format.MILLISECONDS: _milliseconds,
    Format.SENTIMENT: _number,
    Format.COST: _number,
    Format.ORDINAL: _number,
    Format.COUNTS: _number,
    Format.BOOLEAN: _boolean,
    Format.IDS: _list,
}
