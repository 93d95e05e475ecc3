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
    split: str = "|"
    when: dict[str, list[str]] = {}

    @field_validator("sources", mode="before")
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
        return [*self.sources, *filter(None, (self.since, self.minus)), *self.when]


class Map(Table):
    """A whole map file. `fields` has the rules of each field, in the order in which they are tried."""

    type: str = "call"
    format: str | None = None
    timezone: str | None = None
    decimal: str = "."
    delimiter: str | None = None
    layouts: list[list[str]] = []
    skip: list[str] = []
    constants: dict[str, Scalar] = {}
    fields: dict[str, list[Rule]]

    @field_validator("fields", mode="before")
    @classmethod
    def _one_rule(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {k: v if isinstance(v, list) else [v] for k, v in value.items()}

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
    def _known_fields(self) -> Map:
        names, formats = field_names(self.type), formats_of(self.type)
        for name in [*self.constants, *self.fields]:
            if not is_field(name, names) or name in ("type", *MARKS):
                raise ValueError(
                    f"{name} is not a field of {self.type}; nearest: {nearest(name, names)}"
                )
        for name in self.constants:
            if name in self.fields:
                raise ValueError(f"{name} is both in constants and in fields")
        for name, rules in self.fields.items():
            units = _UNITS.get(formats.get(name, Format.TEXT), ())
            for unit in (rule.unit for rule in rules if rule.unit):
                if unit not in units:
                    known = f"one of {', '.join(units)}" if units else "left out"
                    raise ValueError(f"fields.{name}.unit must be {known}")
        return self

    @property
    def reads(self) -> list[str]:
        """Every column or pointer that any rule reads, once."""
        return list(
            dict.fromkeys(n for rules in self.fields.values() for r in rules for n in r.reads)
        )

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
