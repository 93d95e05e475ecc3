"""The table of a hook: what its provider sends, with what the user of the hook adds.

provider's table  ──┐
preset of imports ──┼──►  HookTable  ──►  HookMap.event(delivery, signed_at_ms)
user's map        ──┘
"""

from __future__ import annotations

import functools
import json
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any

from pydantic import Field, field_validator

from rollcall.hooks.delivery import PARSERS
from rollcall.hooks.signatures import is_scheme
from rollcall.mapping.maps import BadMap, Map, Rule, Table, parse_map, preset_text, validated

PROVIDERS = ("vapi", "retell", "elevenlabs", "twilio", "livekit", "bland", "generic")

# Where a rule of a preset finds the call.
CALL = "/@call"
_TABLES = resources.files("rollcall.hooks.tables")


class EventRule(Table):
    """An event that says something of a call: the first whose patterns match gives the rank.

    1 queued, 2 ringing, 3 in progress, 4 ended, 5 analysed: of two values of a field the one of the
    higher rank holds. `set` are keys of the call that follow from the event.
    """

    rank: int = Field(ge=1, le=5)
    when: dict[str, list[str]] = Field(default_factory=dict)
    set: dict[str, str] = Field(default_factory=dict)

    @field_validator("when", mode="before")
    @classmethod
    def _one_pattern(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {k: [v] if isinstance(v, str) else v for k, v in value.items()}


class HookTable(Map):
    """A map of deliveries. `at` are the objects that together are the call: the first key found holds.

    `name` is where the name of the event is, `time` where its time is, `sequence` its number among
    those of one time. `unfinished` are the values of a call whose end never came; without any, such
    calls stay as they are.
    """

    schemes: list[str]
    format: str | None = "json"
    preset: str | None = None
    at: list[str] = Field(default_factory=list)
    name: str | None = None
    time: list[str] = Field(default_factory=list)
    sequence: str | None = None
    answer: str = "json"
    unfinished: dict[str, str] = Field(default_factory=dict)
    events: list[EventRule]
    fields: dict[str, list[Rule]] = Field(default_factory=dict)

    @field_validator("schemes")
    @classmethod
    def _known_schemes(cls, value: list[str]) -> list[str]:
        for scheme in value:
            if not is_scheme(scheme):
                raise ValueError(f"{scheme} is not a way to sign")
        return value

    @field_validator("format")
    @classmethod
    def _known_format(cls, value: str | None) -> str | None:
        if value not in PARSERS:
            raise ValueError(f"must be one of {', '.join(PARSERS)}")
        return value


# What the user of a hook may say; how a provider signs is not among it.
OWN_KEYS = ("timezone", "decimal", "name", "time", "sequence", "constants", "events", "fields")


def hook_table(provider: str, own: Mapping[str, Any]) -> HookTable:
    """The table of a provider, with a user's own keys instead of, or fields before, its own.

    Raises BadMap for a key that is unknown or wrong.
    """
    for key in own:
        if key not in OWN_KEYS:
            raise BadMap(f"{key} is not one of {', '.join(OWN_KEYS)}")
    table = dict(_provided(provider))
    fields, constants = own.get("fields", {}), own.get("constants", {})
    if not isinstance(fields, Mapping) or not isinstance(constants, Mapping):
        raise BadMap("fields and constants must be tables")
    added = {key: own[key] for key in own if key not in ("fields", "constants")}
    table |= added
    table["fields"] = {
        name: rules for name, rules in table.get("fields", {}).items() if name not in constants
    } | {name: _before(rules, table["fields"].get(name)) for name, rules in fields.items()}
    table["constants"] = {
        name: value for name, value in table.get("constants", {}).items() if name not in fields
    } | dict(constants)
    return validated(HookTable, table, f"the map of a hook of {provider}")


def _before(rules: Any, provided: Any) -> Any:
    """A user's rules, then the provider's, which give the value where the user's have none."""
    return [*(rules if isinstance(rules, list) else [rules]), *(provided or [])]


@functools.cache
def schemes_of(provider: str) -> tuple[str, ...]:
    """How a provider signs, which no user's map changes."""
    return tuple(_provided(provider)["schemes"])


@functools.cache
def has_empty_answer(provider: str) -> bool:
    """Whether a provider is answered with an empty body."""
    return bool(_provided(provider).get("answer") == "empty")


@functools.cache
def unfinished_values(provider: str) -> Mapping[str, str]:
    """What is presumed of a provider's call whose end never came, as JSON texts; mostly nothing."""
    values = _provided(provider).get("unfinished", {})
    return {name: json.dumps(value) for name, value in values.items()}


@functools.cache
def _provided(provider: str) -> Mapping[str, Any]:
    """The table of a provider as TOML has it, with the fields of its preset."""
    table = tomllib.loads(_TABLES.joinpath(f"{provider}.toml").read_text("utf-8"))
    own = {
        name: rules if isinstance(rules, list) else [rules]
        for name, rules in table.get("fields", {}).items()
    }
    name = table.get("preset")
    if name is None:
        return table | {"fields": own}
    preset = parse_map(preset_text(name), name)
    provided = {field: [_moved(rule) for rule in rules] for field, rules in preset.fields.items()}
    return table | {
        "constants": preset.constants | table.get("constants", {}),
        "fields": provided | own,
    }


def _moved(rule: Rule) -> dict[str, Any]:
    """A rule of a preset that reads the call where the engine puts it."""
    given = rule.model_dump(by_alias=True, exclude_unset=True)
    if "from" in given:
        given["from"] = [CALL + name for name in given["from"]]
    if "since" in given:
        given["since"] = CALL + given["since"]
    if "when" in given:
        given["when"] = {CALL + name: texts for name, texts in given["when"].items()}
    return given
