"""Periods by name, in local days of a zone, and the period that another one is compared with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from functools import partial
from itertools import count
from operator import add
from typing import Final

from rollcall.domain.time.calendar import MS_PER_DAY, check_instant
from rollcall.domain.time.periods import Period
from rollcall.domain.time.zones import Zone

_EPOCH: Final = dt.date(1970, 1, 1)
_WEEK: Final = 7
_MS_PER_WEEK: Final = _WEEK * MS_PER_DAY


def _last(days: int) -> Callable[[dt.date], tuple[dt.date, dt.date]]:
    return lambda today: (today - dt.timedelta(days - 1), today)


def _today(today: dt.date) -> tuple[dt.date, dt.date]:
    return today, today


def _yesterday(today: dt.date) -> tuple[dt.date, dt.date]:
    yesterday = today - dt.timedelta(1)
    return yesterday, yesterday


def _this_week(today: dt.date) -> tuple[dt.date, dt.date]:
    monday = today - dt.timedelta(today.weekday())
    return monday, monday + dt.timedelta(6)


def _last_week(today: dt.date) -> tuple[dt.date, dt.date]:
    return _this_week(today - dt.timedelta(_WEEK))


def _this_month(today: dt.date) -> tuple[dt.date, dt.date]:
    first = today.replace(day=1)
    return first, (first + dt.timedelta(31)).replace(day=1) - dt.timedelta(1)


def _last_month(today: dt.date) -> tuple[dt.date, dt.date]:
    return _this_month(today.replace(day=1) - dt.timedelta(1))


def _this_year(today: dt.date) -> tuple[dt.date, dt.date]:
    return today.replace(month=1, day=1), today.replace(month=12, day=31)


# Each maps today to the first and the last day of the period.
_NAMED: Final[Mapping[str, Callable[[dt.date], tuple[dt.date, dt.date]]]] = {
    "today": _today,
    "yesterday": _yesterday,
    "last_7_days": _last(7),
    "last_28_days": _last(28),
    "last_30_days": _last(30),
    "last_90_days": _last(90),
    "this_week": _this_week,
    "last_week": _last_week,
    "this_month": _this_month,
    "last_month": _last_month,
    "this_year": _this_year,
}
PERIODS: Final = tuple(_NAMED)


def named_period(name: str, zone: Zone, now_ms: int) -> Period:
    """The period of a name in `PERIODS`: whole local days of the zone.

    Weeks begin on Monday. `last_n_days` ends with today; `this_week`, `this_month` and `this_year`
    run to their end.
    """
    today = dt.date.fromordinal(_EPOCH.toordinal() + _local_ms(zone, now_ms) // MS_PER_DAY)
    first, last = _NAMED[name](today)
    return _days(zone, _number(first), _number(last))


def days_before(period: Period, zone: Zone) -> Period:
    """The period just before another one, and as long.

    Whole local days are compared with as many days, anything else with as many milliseconds.
    Raises ValueError if it begins before 1970, as the other functions of comparison do.
    """
    days = _whole_days(period, zone)
    if days is None:
        length = period.end_ms - period.start_ms
        return _checked(Period(period.start_ms - length, period.start_ms))
    return _checked(_days(zone, 2 * days[0] - days[-1] - 1, days[0] - 1))


def weekdays_before(period: Period, zone: Zone) -> Period:
    """The period moved back by whole weeks of local time, the fewest that clear it."""
    start_ms, last_ms = _local_ms(zone, period.start_ms), _local_ms(zone, period.end_ms - 1)
    fewest = max(1, -(-(last_ms + 1 - start_ms) // _MS_PER_WEEK))
    moved = (_moved(period, zone, partial(add, -weeks * _MS_PER_WEEK)) for weeks in count(fewest))
    # One week more where the moved range ends with a local time that the clock repeats.
    return next(each for each in moved if each.end_ms <= period.start_ms)


def year_before(period: Period, zone: Zone) -> Period:
    """The same local dates and times a year earlier; 29 February becomes the 28th."""

    def moved(local_ms: int) -> int:
        day, of_day = divmod(local_ms, MS_PER_DAY)
        date = dt.date.fromordinal(_EPOCH.toordinal() + day)
        is_leap_day = (date.month, date.day) == (2, 29)
        earlier = date.replace(year=date.year - 1, day=28 if is_leap_day else date.day)
        return _number(earlier) * MS_PER_DAY + of_day

    return _moved(period, zone, moved)


COMPARISONS: Final[Mapping[str, Callable[[Period, Zone], Period]]] = {
    "previous_period": days_before,
    "previous_weekdays": weekdays_before,
    "previous_year": year_before,
}


def _moved(period: Period, zone: Zone, move: Callable[[int], int]) -> Period:
    days = _whole_days(period, zone)
    if days is not None:
        first, last = (move(day * MS_PER_DAY) // MS_PER_DAY for day in (days[0], days[-1]))
        return _checked(_days(zone, first, last))
    start_ms = move(_local_ms(zone, period.start_ms))
    last_ms = move(_local_ms(zone, period.end_ms - 1))
    return _checked(
        Period(
            zone.instant_of(start_ms, is_later=False), zone.instant_of(last_ms, is_later=True) + 1
        )
    )


def _whole_days(period: Period, zone: Zone) -> range | None:
    """The numbers of the local days that make up a period; None if it is not whole days."""
    first = _local_ms(zone, period.start_ms) // MS_PER_DAY
    last = _local_ms(zone, period.end_ms - 1) // MS_PER_DAY
    if first > last or _days(zone, first, last) != period:
        return None
    return range(first, last + 1)


def _days(zone: Zone, first: int, last: int) -> Period:
    return Period(zone.day(first)[0], zone.day(last)[1])


def _local_ms(zone: Zone, instant_ms: int) -> int:
    (interval,) = zone.intervals(instant_ms, instant_ms + 1)
    return instant_ms + interval.offset_ms


def _number(date: dt.date) -> int:
    return date.toordinal() - _EPOCH.toordinal()


def _checked(period: Period) -> Period:
    check_instant(period.start_ms)
    return period
