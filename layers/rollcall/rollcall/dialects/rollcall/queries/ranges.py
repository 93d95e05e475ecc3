"""Parses the range of a query: its bounds, its zone, and the period that it is compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rollcall.dialects.rollcall.queries.faults import Faults
from rollcall.domain.time.named_periods import COMPARISONS, named_period
from rollcall.domain.time.periods import Bounds, Period, parse_end, parse_start
from rollcall.domain.time.zones import UTC, Zone


def parse_zone(body: Mapping[str, Any], faults: Faults) -> Zone | None:
    """The zone of a query; None if it has a fault."""
    if faults.has("timezone"):
        return None
    try:
        return Zone(body.get("timezone", UTC.name))
    except ValueError as error:
        faults.malformed(("timezone",), str(error))
        return None


def parse_bounds(
    body: Mapping[str, Any], zone: Zone | None, now_ms: int, faults: Faults
) -> Bounds | None:
    """The bounds of a query; None if they have a fault."""
    if "period" in body and ("from" in body or "to" in body):
        faults.malformed(("period",), "must not be given with from or to")
    if "period" not in body:
        return _bounds(body, (), zone, faults)
    if zone is None or faults.has("period"):
        return None
    return Bounds(*named_period(body["period"], zone, now_ms))


def parse_comparison(
    body: Mapping[str, Any], bounds: Bounds | None, zone: Zone | None, faults: Faults
) -> Period | None:
    """The period to compare with; None without one, or if it has a fault."""
    compare = body.get("compare")
    if compare is None or faults.has("compare"):
        return None
    explicit = (
        _bounds(compare, ("compare",), zone, faults) if isinstance(compare, Mapping) else None
    )
    if bounds is None or zone is None or faults.has("compare"):
        return None
    if None in bounds:
        faults.malformed(("compare",), "needs both bounds of the query")
        return None
    if explicit is not None:
        return explicit.period
    try:
        return COMPARISONS[compare](bounds.period, zone)
    except ValueError:
        faults.out_of_range(("compare",), "must not begin before 1970 (UTC)")
        return None


def _bounds(
    body: Mapping[str, Any], place: tuple[str, ...], zone: Zone | None, faults: Faults
) -> Bounds | None:
    # The texts are checked even if the zone is not known.
    checked = zone or UTC
    bounds = Bounds(
        _bound(body, "from", place, parse_start, checked, faults),
        _bound(body, "to", place, parse_end, checked, faults),
    )
    has_fault = faults.has(*place, "from") or faults.has(*place, "to")
    if zone is None or has_fault:
        return None
    # One local day is no longer than nothing where the zone skipped it, as Samoa did once.
    is_one = body.get("from") == body.get("to")
    if None not in bounds and bounds.period.start_ms >= bounds.period.end_ms and not is_one:
        faults.out_of_range((*place, "from"), "must not be after to")
        return None
    return bounds


def _bound(
    body: Mapping[str, Any],
    name: str,
    place: tuple[str, ...],
    parse: Callable[[str, Zone], int],
    zone: Zone,
    faults: Faults,
) -> int | None:
    if name not in body or faults.has(*place, name):
        return None
    try:
        return parse(body[name], zone)
    except ValueError as error:
        faults.out_of_range((*place, name), str(error))
        return None
