"""A map: TOML that says from which columns or JSON values each field comes, and how."""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from rollcall.domain.records import RECORD_TYPES, Format
from rollcall.mapping.amounts import SECONDS_OF
from rollcall.mapping.fields import MARKS, field_names, formats_of, is_field, nearest
from rollcall.mapping.times import STYLES, zone_named

_PRESETS = resources.files("rollcall.mapping.presets")
_UNITS = {
    Format.SECONDS: tuple(SECONDS_OF),
    Format.MILLISECONDS: tuple(SECONDS_OF),
    Format.COST: ("cents",),
    Format.SENTIMENT: ("percent",),
}

Scalar = str | bool | int | float


class BadMap(ValueError):
    """A map breaks a rule; the message names the map, the key and the rule."""


class Table(BaseModel):
    """A table of a map, without keys that it does not know."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


_Model = TypeVar("_Model", bound=Table)


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class Rule(Table):
    """One way to get the value of a field; without a value the next rule of the field is tried."""

    sources: list[str] = Field(default=[], alias="from")
    join: str | None = None
    extract: str | None = None
    since: str | None = None
    minus: str | None = None
    count: bool = False
    value: Scalar | None = None
    values: dict[str, Scalar] | None = None
    default: Scalar | None = None
    unit: str | None = None
    time: str | None = None
    absolute: bool = False
    currency: list[str] = []
    split: str = "|"
    when: dict[str, list[str]] = {}

    @field_validator("sources", "currency", mode="before")
    @classmethod
    def _one_source(cls, value: Any) -> Any:
        return _listed(value)

    @field_validator("when", mode="before")
    @classmethod
    def _one_pattern(cls, value: Any) -> Any:
        return {k: _listed(v) for k, v in value.items()} if isinstance(value, dict) else value

    @field_validator("extract")
    @classmethod
    def _pattern(cls, value: str | None) -> str | None:
        try:
            groups = re.compile(value or "()").groups
        except re.error as error:
            raise ValueError(f"must be a regular expression: {error}") from None
        if groups != 1:
            raise ValueError("must have one group, in ( )")
        return value

    @field_validator("time")
    @classmethod
    def _style(cls, value: str | None) -> str | None:
        if value is not None and value not in STYLES:
            raise ValueError(f"must be one of {', '.join(STYLES)}")
        return value

    @model_validator(mode="after")
    def _has_source(self) -> Rule:
        if bool(self.sources) == (self.value is not None):
            raise ValueError("must have either from or value")
        return self

    @property
    def reads(self) -> list[str]:
        """Every column or pointer that it reads."""
        times = filter(None, (self.since, self.minus))
        return [*self.sources, *times, *self.currency, *self.when]


def _rules_listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: rules if isinstance(rules, list) else [rules] for name, rules in value.items()}


class Join(Table):
    """Makes one call of the rows with the same id, such as its attempts and transfers.

    `start` names the column of the time at which a row begins, `length` that of the seconds from there
    to its end, and `order` that of a number which orders rows of the same start. `fields` replace
    those of the map, which are the fields of a row by itself.
    """

    start: str
    length: str
    order: str | None = None
    fields: dict[str, list[Rule]] = {}

    _one_rule = field_validator("fields", mode="before")(_rules_listed)

    @property
    def cells(self) -> tuple[str, str, str | None]:
        """The columns that it reads beside those of its fields; None for one that it does not name."""
        return self.start, self.length, self.order


class Map(Table):
    """A whole map file. `fields` has the rules of each field, in the order in which they are tried."""

    type: str = "call"
    format: str | None = None
    timezone: str | None = None
    decimal: str = "."
    currency: str | None = None
    delimiter: str | None = None
    layouts: list[list[str]] = []
    skip: list[str] = []
    constants: dict[str, Scalar] = {}
    join: Join | None = None
    fields: dict[str, list[Rule]]

    _one_rule = field_validator("fields", mode="before")(_rules_listed)

    @field_validator("skip", mode="before")
    @classmethod
    def _one_column(cls, value: Any) -> Any:
        return _listed(value)

    @field_validator("type")
    @classmethod
    def _known_type(cls, value: str) -> str:
        if value not in RECORD_TYPES:
            raise ValueError(f"must be one of {', '.join(RECORD_TYPES)}")
        return value

    @field_validator("format")
    @classmethod
    def _known_format(cls, value: str | None) -> str | None:
        if value not in (None, "csv", "json"):
            raise ValueError("must be csv or json")
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        zone_named(value)
        return value

    @field_validator("decimal")
    @classmethod
    def _known_mark(cls, value: str) -> str:
        if value not in (".", ","):
            raise ValueError("must be . or ,")
        return value

    @model_validator(mode="after")
    def _joins_calls(self) -> Map:
        if self.join is not None and self.type != "call":
            raise ValueError(f"join is for calls, and not for records of type {self.type}")
        return self

    @model_validator(mode="after")
    def _known_fields(self) -> Map:
        names = field_names(self.type)
        mapped = [name for name, _ in self._all_fields()]
        for name in [*self.constants, *mapped]:
            if not is_field(name, names) or name in ("type", *MARKS):
                raise ValueError(
                    f"{name} is not a field of {self.type}; nearest: {nearest(name, names)}"
                )
        for name in mapped:
            if name in self.constants:
                raise ValueError(f"{name} is both in constants and in fields")
        return self

    @model_validator(mode="after")
    def _known_units(self) -> Map:
        formats = formats_of(self.type)
        for name, rules in self._all_fields():
            units = _UNITS.get(formats.get(name, Format.TEXT), ())
            for unit in (rule.unit for rule in rules if rule.unit):
                if unit not in units:
                    known = f"one of {', '.join(units)}" if units else "left out"
                    raise ValueError(f"fields.{name}.unit must be {known}")
        return self

    @model_validator(mode="after")
    def _one_currency(self) -> Map:
        formats = formats_of(self.type)
        for name, rules in self._all_fields():
            if not any(rule.currency for rule in rules):
                continue
            if formats.get(name) is not Format.COST:
                raise ValueError(f"fields.{name}.currency must be left out")
            if self.currency is None:
                raise ValueError(f"fields.{name}.currency needs the currency of the map")
        return self

    def _all_fields(self) -> list[tuple[str, list[Rule]]]:
        """The fields with their rules, and those of the join."""
        return [*self.fields.items(), *(self.join.fields.items() if self.join else ())]

    @property
    def reads(self) -> list[str]:
        """Every column or pointer that is read, once."""
        of_rules = [n for rules in self.fields.values() for r in rules for n in r.reads]
        of_join = filter(None, self.join.cells) if self.join else ()
        return list(dict.fromkeys([*of_rules, *of_join]))

    @property
    def joining(self) -> Map:
        """This map with the fields of its join in the place of its own."""
        if self.join is None:
            return self
        return self.model_copy(update={"fields": self.fields | self.join.fields})

    @property
    def by_row(self) -> Map:
        """This map without its join: a row is a record."""
        return self.model_copy(update={"join": None})

    @property
    def required(self) -> list[str]:
        """The fields without which no record is accepted."""
        columns = RECORD_TYPES[self.type].columns
        return ["id", *(column.wire_name for column in columns if column.is_sent)]


def preset_names() -> list[str]:
    """The maps that ship with this package."""
    names = (entry.name for entry in _PRESETS.iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def preset_text(name: str) -> str:
    """The TOML of a map that ships with this package. Raises BadMap for an unknown name."""
    if name not in preset_names():
        raise BadMap(f"{name} is not one of {', '.join(preset_names())}")
    return _PRESETS.joinpath(f"{name}.toml").read_text("utf-8")


def parse_map(content: str, name: str) -> Map:
    """A map from TOML. Raises BadMap with each key that is wrong, and the rule."""
    try:
        return validated(Map, tomllib.loads(content), name)
    except tomllib.TOMLDecodeError as error:
        raise BadMap(f"{name}: {error}") from error


def validated(model: type[_Model], table: Any, name: str) -> _Model:
    """A table of TOML or JSON as a model. Raises BadMap with each key that is wrong, and the rule."""
    try:
        return model.model_validate(table)
    except ValidationError as error:
        faults = [
            f"{'.'.join(map(str, each['loc'])) or 'the map'}: {_message(each['msg'])}"
            for each in error.errors(include_url=False, include_input=False)
        ]
        raise BadMap(f"{name}: {'; '.join(faults)}") from error


def _message(text: str) -> str:
    return text.removeprefix("Value error, ").replace(
        "Extra inputs are not permitted", "is not a key of a map"
    )
