"""Make one call of its legs. The order and the number of times in which they are given do not matter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from rollcall.mapping.conversion import Settings, number_text, seconds_of
from rollcall.mapping.fields import Fault, joined
from rollcall.mapping.maps import Join
from rollcall.mapping.times import read_time
from rollcall_cli.importing.checking import all_faults
from rollcall_cli.importing.joining.legs import Leg

# The first of these that a leg has is the status of the call.
_STRENGTH = [f'"{status}"' for status in ("completed", "busy", "no_answer", "canceled", "failed")]
# The fields that are those of the leg with that status.
_OF_STRONGEST = ("status", "ended_reason")


@dataclass(frozen=True, slots=True)
class _Timed:
    leg: Leg
    start_ms: int = 0
    end_ms: int = 0

    @property
    def answer_ms(self) -> int | None:
        """When it was answered; None if it was not."""
        seconds = self.leg.values.get("duration_seconds")
        return None if seconds is None else self.end_ms - int(Decimal(seconds) * 1_000)

    def place(self) -> tuple[int, int, bytes]:
        """Its place among the legs of a call."""
        order = self.leg.order
        return self.start_ms, int(order) if order.isdecimal() else 0, self.leg.encoded()


class Calls:
    """Joins legs; `settings` are those of the file."""

    def __init__(self, join: Join, settings: Settings) -> None:
        self._join = join
        self._settings = settings

    def record(self, legs: Sequence[Leg]) -> bytes | tuple[Fault, ...]:
        """The record of the legs of one call, or all their faults.

        A leg by itself keeps its values. Of several, the earliest `started_at` holds, the strongest
        `status` with its `ended_reason`, and as `duration_seconds` the time from the first answer to
        the last end. Any other field has the value of the first leg with one.
        """
        faults = {fault: None for leg in legs for fault in leg.faults}
        timed = []
        for leg in legs:
            read = self._timed(leg) if len(legs) > 1 else _Timed(leg)
            if isinstance(read, Fault):
                faults[read] = None
                read = _Timed(leg)
            timed.append(read)
        values = _joined(sorted(timed, key=_Timed.place))
        return all_faults(tuple(faults), values) if faults else joined(values)

    def _timed(self, leg: Leg) -> _Timed | Fault:
        try:
            start = read_time(leg.start, self._settings.zone)
        except ValueError as error:
            return Fault("started_at", f'"{leg.start}" {error}', self._join.start)
        try:
            length_ms = int(seconds_of(leg.length, self._settings) * 1_000)
        except ValueError as error:
            return Fault("duration_seconds", f'"{leg.length}" {error}', self._join.length)
        self._settings.unclear += start.is_unclear
        return _Timed(leg, start.instant_ms, start.instant_ms + length_ms)


def _joined(timed: Sequence[_Timed]) -> dict[str, str]:
    """The values of a call, of its legs in their order."""
    values: dict[str, str] = {}
    for each in timed:
        values = {**each.leg.values, **values}
    strongest = min((each.leg.values for each in timed), key=_weakness)
    for name in _OF_STRONGEST:
        values.pop(name, None)
    values |= {name: strongest[name] for name in _OF_STRONGEST if name in strongest}
    if "started_at" in values:
        # Texts of one length, in UTC.
        values["started_at"] = min(each.leg.values.get("started_at", "~") for each in timed)
    if len(timed) > 1 and "duration_seconds" in values:
        values["duration_seconds"] = _elapsed(timed)
    return dict(sorted(values.items()))


def _elapsed(timed: Sequence[_Timed]) -> str:
    """The seconds from the first answer to the last end."""
    answers = [answer for each in timed if (answer := each.answer_ms) is not None]
    elapsed_ms = max(each.end_ms for each in timed) - min(answers)
    return number_text(Decimal(elapsed_ms) / 1_000)


def _weakness(values: dict[str, str]) -> int:
    status = values.get("status")
    return _STRENGTH.index(status) if status in _STRENGTH else len(_STRENGTH)
