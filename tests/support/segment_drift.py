"""Planting drift in segments: one thing of each kind made wrong in one of the two items."""

from __future__ import annotations

import json
import zlib
from typing import Any

from rollcall.domain.records import RECORD_TYPES
from rollcall.maintenance import audits
from tests.support.drift import ANALYTICS, Item, Kinds, Planter

_DAMAGED = frozenset({audits.PAGE_DAMAGED})


def segments(planter: Planter) -> list[Item]:
    """The values of each segment."""
    return [item for item in planter.analytics("LEDGER") if "segment" in item]


def _values(planter: Planter) -> Item:
    return planter.random.choice(segments(planter))


def _identities(planter: Planter) -> Item:
    return planter.random.choice(planter.analytics("IDENTITIES"))


def _either(planter: Planter) -> Item:
    return planter.random.choice((_values, _identities))(planter)


def _altered(planter: Planter, item: Item, **changed: Any) -> Kinds:
    """An item with some attributes set, or, where None, removed."""
    kept = {name: value for name, value in item.items() if name not in changed}
    new = {name: value for name, value in changed.items() if value is not None}
    planter.items.put(ANALYTICS, kept | new)
    return _DAMAGED


def values_removed(planter: Planter) -> Kinds:
    planter.items.delete(ANALYTICS, _values(planter))
    return frozenset({audits.PAGE_MISSING})


def identities_removed(planter: Planter) -> Kinds:
    planter.items.delete(ANALYTICS, _identities(planter))
    return _DAMAGED


def identities_of_another_version(planter: Planter) -> Kinds:
    item = _identities(planter)
    version = int(item["v"]["N"]) + planter.random.choice((-1, 1, 10**12))
    return _altered(planter, item, v={"N": str(version)})


def values_of_another_version(planter: Planter) -> Kinds:
    item = _values(planter)
    return _altered(planter, item, v={"N": str(int(item["v"]["N"]) + 1)})


def without_version(planter: Planter) -> Kinds:
    version = planter.random.choice((None, {"S": "7"}, {"N": "0"}, {"N": "1.5"}))
    return _altered(planter, _either(planter), v=version)


def of_unknown_format(planter: Planter) -> Kinds:
    return _altered(planter, _either(planter), segment={"N": "2"})


def column_removed(planter: Planter) -> Kinds:
    item = _either(planter)
    return _altered(planter, item, **{_column(planter, item): None})


def column_cut_short(planter: Planter) -> Kinds:
    item = _either(planter)
    name = _column(planter, item)
    data = item[name]["B"]
    return _altered(planter, item, **{name: {"B": data[: planter.random.randrange(len(data))]}})


def column_of_another_segment(planter: Planter) -> Kinds | None:
    """Its bytes are a column, but not the one that the directory describes."""
    item = _values(planter)
    places = [
        (name, other[name])
        for other in segments(planter)
        for name in item
        if name.startswith("c.") and name in other and other[name] != item[name]
    ]
    if not places:
        return None
    name, column = planter.random.choice(places)
    return _altered(planter, item, **{name: column})


def _column(planter: Planter, item: Item) -> str:
    return planter.random.choice(sorted(name for name in item if name.startswith("c.")))


def directory_removed(planter: Planter) -> Kinds:
    return _altered(planter, _values(planter), directory=None)


def directory_cut_short(planter: Planter) -> Kinds:
    item = _values(planter)
    data = item["directory"]["B"]
    part = {"B": data[: planter.random.randrange(len(data))]}
    return _altered(planter, item, directory=part)


def zone_too_narrow(planter: Planter) -> Kinds:
    """Queries would skip rows that match."""
    item = _values(planter)
    document = json.loads(zlib.decompress(item["directory"]["B"], -15))
    zoned = [entry for entry in document["columns"].values() if entry[2] is not None]
    entry = planter.random.choice(zoned)
    is_texts = isinstance(entry[2][0], str)
    entry[2] = entry[2][1:] if is_texts else [entry[2][0] + 1, entry[2][1] + 1]
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    data = packer.compress(json.dumps(document).encode()) + packer.flush()
    return _altered(planter, item, directory={"B": data})


def of_another_count(planter: Planter) -> Kinds:
    count = planter.random.choice((None, {"N": "70000"}, {"S": "1"}))
    return _altered(planter, _values(planter), n=count)


def without_moment(planter: Planter) -> Kinds:
    moment = planter.random.choice((None, {"S": "now"}))
    return _altered(planter, _values(planter), applied_at=moment)


def without_end(planter: Planter) -> Kinds:
    end = planter.random.choice((None, {"N": "1"}, {"S": ""}))
    return _altered(planter, _values(planter), end=end)


def not_listed(planter: Planter) -> Kinds:
    return _altered(planter, _values(planter), GSI1PK=None, GSI1SK=None)


def listed_elsewhere(planter: Planter) -> Kinds:
    place = planter.random.choice(("ROLLUP#ALL", "PAGE#", "x"))
    return _altered(planter, _either(planter), GSI1SK={"S": place})


def identities_of_no_segment(planter: Planter) -> Kinds:
    """At the start of a page, or where nothing starts."""
    item = _identities(planter)
    taken = {each["SK"]["S"] for each in segments(planter)}
    pages = [page["SK"]["S"] for page, _, _ in planter.pages() if page["SK"]["S"] not in taken]
    start = planter.random.choice([*pages, "000000000000005.0000000000000000"])
    planter.items.put(ANALYTICS, item | {"SK": {"S": start}, "v": {"N": "1"}})
    return frozenset({audits.PAGE_PHANTOM})


def identities_of_no_type(planter: Planter) -> Kinds:
    item = _identities(planter)
    *prefix, record_type, end = item["PK"]["S"].split("#")
    assert record_type in RECORD_TYPES
    partition = "#".join([*prefix, "unheard", end])
    planter.items.put(ANALYTICS, item | {"PK": {"S": partition}})
    return frozenset({audits.PAGE_PHANTOM})


SEGMENT_PLANTS = [
    values_removed,
    identities_removed,
    identities_of_another_version,
    values_of_another_version,
    without_version,
    of_unknown_format,
    column_removed,
    column_cut_short,
    column_of_another_segment,
    directory_removed,
    directory_cut_short,
    zone_too_narrow,
    of_another_count,
    without_moment,
    without_end,
    not_listed,
    listed_elsewhere,
    identities_of_no_segment,
    identities_of_no_type,
]
