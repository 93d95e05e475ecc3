"""A leg: one row of a call, with the values that its fields would have by themselves."""

from __future__ import annotations

import json
from dataclasses import dataclass

from rollcall.mapping.fields import Fault


@dataclass(frozen=True, slots=True)
class Leg:
    """`values` are JSON texts by field, `faults` what is wrong with the others.

    `start`, `length` and `order` are the cells that a map's join names, empty where there are none.
    """

    values: dict[str, str]
    faults: tuple[Fault, ...]
    start: str
    length: str
    order: str

    @property
    def call(self) -> str | None:
        """What the legs of one call have in common: its id, as JSON text; None if it cannot be read."""
        return self.values.get("id")

    def encoded(self) -> bytes:
        """The leg as bytes, which are the same for equal legs."""
        faults = [[fault.field, fault.message, fault.column] for fault in self.faults]
        return json.dumps([self.values, faults, self.start, self.length, self.order]).encode()

    @classmethod
    def decoded(cls, content: bytes) -> Leg:
        """The leg of `encoded`."""
        values, faults, start, length, order = json.loads(content)
        return cls(values, tuple(Fault(*fault) for fault in faults), start, length, order)
