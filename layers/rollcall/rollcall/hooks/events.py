"""Read an event of a call from a delivery, as the table of its hook says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rollcall.hooks.delivery import PARSERS, Delivery, Unmappable
from rollcall.hooks.maps import CALL, HookTable
from rollcall.mapping.conversion import text_of
from rollcall.mapping.mapper import Condition, Mapper, Reads, pointed
from rollcall.mapping.times import read_time, zone_named

_SHOWN_CHARACTERS = 64
# What the names of the parts of a detail begin with.
DETAIL = "detail."
# Within one second; a call has some dozens of events.
_MOST_SEQUENCE = 999


class Ignored(Exception):
    """A delivery is authentic and says nothing of a call; the message names the event."""


@dataclass(frozen=True, slots=True)
class Event:
    """What one delivery says of a call. `values` are JSON texts by the names of fields.

    Of two events the greater one by (rank, time_ms, digest) holds.
    """

    call_id: str
    rank: int
    time_ms: int
    digest: str
    values: Mapping[str, str]


class HookMap:
    """Reads the events of one hook's deliveries."""

    def __init__(self, table: HookTable) -> None:
        self._table = table
        self._zone = zone_named(table.timezone)
        # The start and the status may come with another event.
        self._mapper = Mapper(table, self._zone, required=("id",))
        self._events = [(Condition(rule.when), rule) for rule in table.events]

    def event(self, delivery: Delivery, signed_at_ms: int | None) -> Event:
        """The event of a delivery that was signed at a time, if that is known.

        Raises Ignored, and Unmappable with what is missing or wrong.
        """
        body = PARSERS[self._table.format or "json"](delivery)
        rule = next((rule for when, rule in self._events if when.holds(_reads(body))), None)
        if rule is None:
            raise Ignored(f"the event {self._name(body)} is not used")
        read = _reads({**body, CALL[1:]: self._call(body) | rule.set})
        values, faults = self._mapper.values(read)
        # What was said is left out where it cannot be read: the call counts, and no message quotes it.
        faults = [fault for fault in faults if not fault.field.startswith(DETAIL)]
        if faults:
            raise Unmappable("; ".join(f"{fault.field}: {fault.message}" for fault in faults))
        del values["type"]  # always that of a call
        known_ms = delivery.received_at_ms if signed_at_ms is None else signed_at_ms
        return Event(
            json.loads(values.pop("id")),
            rule.rank,
            self._time_ms(read, known_ms),
            delivery.digest(),
            values,
        )

    def _call(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The objects that together are the call; of equal keys those of the first object."""
        call: dict[str, Any] = {}
        for place in reversed(self._table.at):
            found = pointed(body, place) if place else body
            if isinstance(found, dict):
                call |= {key: value for key, value in found.items() if value is not None}
        return call

    def _name(self, body: Mapping[str, Any]) -> str:
        found = pointed(body, self._table.name) if self._table.name else None
        return text_of("without a name" if found is None else found)[:_SHOWN_CHARACTERS]

    def _time_ms(self, read: Reads, known_ms: int) -> int:
        found = next((v for name in self._table.time if (v := read(name)) not in (None, "")), None)
        sequence = read(self._table.sequence) if self._table.sequence else None
        try:
            if found is not None:
                known_ms = read_time(text_of(found), self._zone).instant_ms
            return known_ms + min(max(int(text_of(sequence or 0)), 0), _MOST_SEQUENCE)
        except ValueError as error:
            raise Unmappable(f"the time of the event {error}") from None


def _reads(document: Mapping[str, Any]) -> Reads:
    return lambda name: pointed(document, name)
