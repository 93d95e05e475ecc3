"""Apply a map to the rows of a file."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from rollcall.mapping.conversion import text_of
from rollcall.mapping.fields import Fault, joined
from rollcall.mapping.mapper import Mapper, Reads, pointed
from rollcall.mapping.maps import Join
from rollcall_cli.importing.checking import all_faults
from rollcall_cli.importing.documents import parsed
from rollcall_cli.importing.joining.legs import Leg
from rollcall_cli.importing.mapping.map_file import NamedMap


class RowMapper(Mapper):
    """Converts rows by a map; `zone` is that of times without one.

    Where the map joins rows, a row becomes an encoded leg instead of a record.
    """

    def __init__(self, named: NamedMap, zone: ZoneInfo | None) -> None:
        self._map = named.map
        super().__init__(self._map, zone)
        self._places: dict[str, int] = {}

    @property
    def join(self) -> Join | None:
        """How rows are joined, if they are."""
        return self._map.join

    @property
    def columns(self) -> dict[str, str]:
        """The column or pointer of each field, for faults that are found later."""
        return {
            name.partition(":")[0]: rule.sources[0]
            for name, rules in reversed(list(self._map.fields.items()))
            for rule in reversed(rules)
            if rule.sources
        }

    def bind(self, columns: Sequence[str]) -> None:
        """Set where the columns of a CSV file are."""
        self._places = {name: place for place, name in enumerate(columns)}

    def convert_cells(self, cells: Sequence[str]) -> bytes | tuple[Fault, ...]:
        """The record of a row of CSV."""
        places = self._places

        def read(name: str) -> object:
            place = places.get(name)
            return None if place is None else cells[place].strip() or None

        return self._record(read)

    def convert_json(self, content: bytes) -> bytes | tuple[Fault, ...]:
        """The record of a JSON object."""
        value = parsed(content)
        if isinstance(value, Fault):
            return (value,)
        return self._record(lambda name: pointed(value, name))

    def _record(self, read: Reads) -> bytes | tuple[Fault, ...]:
        values, faults = self.values(read)
        if self._map.join is not None:
            cells = (read(name) if name else None for name in self._map.join.cells)
            texts = ("" if cell is None else text_of(cell) for cell in cells)
            return Leg(values, tuple(faults), *texts).encoded()
        return all_faults(faults, values) if faults else joined(values)
