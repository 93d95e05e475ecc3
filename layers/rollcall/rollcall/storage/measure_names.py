"""The attributes that hold the closed measures of a rollup.

An attribute is named as its measure, but for the longest names of calls: a write costs by the started
KB, and spelled out these 23 take 190 bytes more in each rollup. Rollups that were written before there were
short names have the long ones, and an earlier release may add to those beside the short ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from rollcall.domain.measures import CALLS

_SHORT: Final = {
    "s.queued": "s.qu",
    "s.ringing": "s.ri",
    "s.in_progress": "s.ip",
    "s.completed": "s.co",
    "s.failed": "s.fa",
    "s.busy": "s.bu",
    "s.no_answer": "s.na",
    "s.canceled": "s.ca",
    "d.need_retry": "d.nr",
    "d.wrong_country_code": "d.wc",
    "d.need_follow_up": "d.nf",
    "d.voicemail_left": "d.vl",
    "d.successful": "d.su",
    "d.unsuccessful": "d.us",
    "d.wrong_number": "d.wn",
    "d.completed": "d.co",
    "d.unreachable": "d.ur",
    "d.error": "d.er",
    "e.take_message": "e.tm",
    "e.sms_sent": "e.ss",
    "e.call_transferred": "e.ct",
    "e.calendar_booked": "e.cb",
    "e.email_sent": "e.es",
}
_LONG: Final = {short: long for long, short in _SHORT.items()}


def attribute_of(family: str, measure: str) -> str:
    """The attribute in which rollups of a family hold a measure."""
    return _SHORT.get(measure, measure) if family == CALLS else measure


def measure_of(attribute: str) -> str:
    """The measure that an attribute of a rollup, of this release or an earlier one, adds to."""
    return _LONG.get(attribute, attribute)


def attributes_of(measures: Iterable[str]) -> Iterator[str]:
    """All attributes that may hold any of the measures."""
    for measure in measures:
        yield measure
        if measure in _SHORT:
            yield _SHORT[measure]
