"""Apply a map to documents: each rule of a field is tried until one has a value."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from fnmatch import translate
from zoneinfo import ZoneInfo

from rollcall.domain.time.calendar import check_instant, format_instant
from rollcall.mapping.conversion import (
    Converts,
    Settings,
    conversion_of,
    instant_ms,
    seconds_of,
    text_of,
)
from rollcall.mapping.fields import Fault, formats_of, joined
from rollcall.mapping.maps import Map, Rule

Reads = Callable[[str], object]

_SHOWN_CHARACTERS = 40


class Mapper:
    """Converts documents by a map; `zone` is that of times without one.

    A field in `required` is a fault if it has no value: by default those of the record type.
    """

    def __init__(
        self, chosen: Map, zone: ZoneInfo | None, required: Sequence[str] | None = None
    ) -> None:
        self.settings = Settings(zone, chosen.decimal, chosen.currency)
        formats = formats_of(chosen.type)
        needed = chosen.required if required is None else required
        self._fields = [
            _Field(name, rules, conversion_of(name, formats), needed)
            for name, rules in chosen.fields.items()
        ]
        self._constants = {"type": chosen.type, **chosen.constants}

    def values(self, read: Reads) -> tuple[dict[str, str], list[Fault]]:
        """The value of each field that has one, as JSON text, and what is wrong with the others.

        `read` gives the value under a name, or None. Constants come first.
        """
        values = {
            name: json.dumps(constant, ensure_ascii=False)
            for name, constant in self._constants.items()
        }
        faults: list[Fault] = []
        for field in self._fields:
            value = field.value(read, self.settings)
            if isinstance(value, Fault):
                faults.append(value)
            elif value is not None:
                values[field.name] = value
        return values, faults

    def record(self, read: Reads) -> bytes | tuple[Fault, ...]:
        """The record of a document, as JSON, or all its faults."""
        values, faults = self.values(read)
        return tuple(faults) or joined(values)


class _Field:
    """The rules of one field."""

    def __init__(
        self, name: str, rules: Sequence[Rule], convert: Converts, required: Sequence[str]
    ) -> None:
        self.name = name
        self._rules = [_Prepared(rule) for rule in rules]
        self._convert = convert
        self._is_required = name in required

    def value(self, read: Reads, settings: Settings) -> str | Fault | None:
        """The value as JSON text; None if there is none."""
        unmatched: Fault | None = None
        for prepared in self._rules:
            rule = prepared.rule
            column = rule.sources[0] if rule.sources else None
            try:
                value = prepared.value(read, settings)
                if value is not None:
                    return self._convert(value, rule, settings)
            except _Unmatched as error:
                unmatched = Fault(self.name, str(error), column)
            except ValueError as error:
                shown = prepared.shown(read)
                return Fault(self.name, f"{shown} {error}", column)
        if unmatched is None and self._is_required:
            first = self._rules[0].rule.sources
            return Fault(self.name, "is required", first[0] if first else None)
        return unmatched


class _Unmatched(ValueError):
    """A value is none of those that the map lists."""


class _Prepared:
    """A rule with its patterns compiled. Patterns and values match in any case."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._extract = re.compile(rule.extract) if rule.extract else None
        self._exact = {text.lower(): value for text, value in (rule.values or {}).items()}
        self._patterns = [
            (_pattern(text), value)
            for text, value in (rule.values or {}).items()
            if any(character in text for character in "*?[")
        ]
        self._condition = Condition(rule.when)

    def value(self, read: Reads, settings: Settings) -> object:
        """The value before its conversion; None if the rule has none."""
        if not self._condition.holds(read):
            return None
        rule = self.rule
        if rule.value is not None:
            return rule.value
        found = self._found(read)
        if found is None:
            return None
        if rule.count:
            return len(found) or None if isinstance(found, list) else None
        self._check_currency(read, settings)
        if rule.since is not None:
            return self._elapsed(found, read(rule.since), settings)
        if rule.minus is not None:
            return self._earlier(found, read(rule.minus), settings)
        if rule.values is None:
            return found
        return self._mapped(text_of(found).strip())

    def _check_currency(self, read: Reads, settings: Settings) -> None:
        for name in self.rule.currency:
            found = text_of(read(name) or "").strip().upper()
            if found and found != settings.currency:
                raise ValueError(
                    f"is in {found} by the column {name}, and the map has {settings.currency};"
                    f" --currency {found} takes {found} alone"
                )

    def shown(self, read: Reads) -> str:
        """What was found, for messages."""
        text = text_of(self._found(read)) if self.rule.sources else str(self.rule.value)
        cut = text[:_SHOWN_CHARACTERS]
        return json.dumps(cut + ("…" if len(text) > len(cut) else ""), ensure_ascii=False)

    def _found(self, read: Reads) -> object:
        found = [value for name in self.rule.sources if (value := read(name)) not in (None, "")]
        if not found or (self.rule.join is not None and len(found) < len(self.rule.sources)):
            return None
        value = found[0] if self.rule.join is None else self.rule.join.join(map(text_of, found))
        if self._extract is None:
            return value
        match = self._extract.search(text_of(value))
        return match[1] if match else None

    def _elapsed(self, end: object, start: object, settings: Settings) -> str | None:
        if start in (None, ""):
            return None
        elapsed = instant_ms(end, self.rule, settings) - instant_ms(start, self.rule, settings)
        return f"{elapsed / 1_000:.3f}s"

    def _earlier(self, end: object, seconds: object, settings: Settings) -> str:
        """The time so many seconds before another; that time itself without a number of seconds."""
        elapsed_ms = 0 if seconds in (None, "") else int(seconds_of(seconds, settings) * 1_000)
        started_ms = check_instant(instant_ms(end, self.rule, settings) - elapsed_ms)
        return format_instant(started_ms)

    def _mapped(self, text: str) -> object:
        value = self._exact.get(text.lower())
        if value is None:
            value = next((v for pattern, v in self._patterns if pattern.match(text)), None)
        if value is None:
            value = self.rule.default
        if value is None:
            raise _Unmatched(
                f"{json.dumps(text, ensure_ascii=False)} is not among the map's values"
            )
        return None if value == "" else value


class Condition:
    """Values that must match, by name: any of the patterns of each, in any case."""

    def __init__(self, when: Mapping[str, Sequence[str]]) -> None:
        self._when = [(name, [_pattern(text) for text in texts]) for name, texts in when.items()]

    def holds(self, read: Reads) -> bool:
        """Whether every value matches; an absent one is the empty text."""
        return all(_matches(read(name), patterns) for name, patterns in self._when)


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(translate(text), re.IGNORECASE)


def _matches(value: object, patterns: Sequence[re.Pattern[str]]) -> bool:
    text = "" if value is None else text_of(value)
    return any(pattern.match(text) for pattern in patterns)


def pointed(document: object, name: str) -> object:
    """The value at a JSON pointer (RFC 6901), or under a key of the object itself."""
    if not name.startswith("/"):
        return document.get(name) if isinstance(document, dict) else None
    for part in name[1:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict):
            document = document.get(key)
        elif isinstance(document, list) and key.isdecimal() and int(key) < len(document):
            document = document[int(key)]
        else:
            return None
    return document
