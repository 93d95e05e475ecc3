"""Generated rows of ledger pages, of any record type."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from rollcall.domain.choices import CALL_EVENTS
from rollcall.domain.decimals import canonical
from rollcall.domain.records import RECORD_TYPES, Column, Kind
from rollcall.ledger.page import Row

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
ids = st.one_of(
    st.uuids().map(str),
    st.uuids().map(lambda u: str(u).upper()),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=128),
    st.integers(-(10**127), 10**127).map(str),
)
numbers = st.decimals(allow_nan=False, allow_infinity=False, places=6).map(canonical)
payload_values = st.one_of(st.none(), st.booleans(), texts, numbers)
payload_keys = st.text("abcXYZ019_.-", min_size=1, max_size=64)
times = st.one_of(st.integers(0, 253_370_764_799_999), st.just(1_763_000_000_000))


def values(column: Column) -> st.SearchStrategy[Any]:
    match column.kind:
        case Kind.INTEGER:
            strategy: st.SearchStrategy[Any] = st.integers(0, 10**15)
        case Kind.FLAG:
            strategy = st.booleans()
        case Kind.TEXT:
            strategy = st.sampled_from(column.choices) if column.choices else texts
        case Kind.ID:
            strategy = ids
        case Kind.IDS:
            return st.sets(ids, max_size=5).map(lambda labels: tuple(sorted(labels)))
        case Kind.COUNTS:
            counts = st.dictionaries(st.sampled_from(CALL_EVENTS), st.integers(1, 10**15))
            return counts.map(lambda c: {name: c[name] for name in CALL_EVENTS if name in c})
        case Kind.PAYLOAD:
            payloads = st.dictionaries(payload_keys, payload_values, max_size=4)
            return payloads.map(lambda payload: dict(sorted(payload.items())))
    return strategy if column.required else st.none() | strategy


@st.composite
def rows_of(draw: st.DrawFn, type_name: str, most: int = 12) -> list[Row]:
    record_type = RECORD_TYPES[type_name]
    rows = []
    for fact_id in draw(st.lists(ids, max_size=most, unique=True)):
        time_ms = draw(times) if record_type.time_column else 0
        record = None
        if draw(st.integers(0, 5)):
            fields = {c.name: draw(values(c)) for c in record_type.paged}
            if record_type.time_column:
                fields[record_type.time_column] = time_ms
            record = record_type.cls(**fields)
        rows.append(Row(fact_id, draw(st.integers(1, 2**60)), time_ms, record))
    return rows


type_names = st.sampled_from(sorted(RECORD_TYPES))


def by_id(rows: Any) -> dict[str, Row]:
    return {row.id: row for row in rows}
