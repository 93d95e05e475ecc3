"""Check a file as an import would, and send nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rollcall.api import strict_json
from rollcall.api.records.documents import parse_record
from rollcall.api.records.faults import RefusedRecord
from rollcall.clock import now_ms
from rollcall.mapping.fields import Fault
from rollcall_cli.importing.rows import Row
from rollcall_cli.importing.sender import Receipt
from rollcall_cli.text import escaped

MOST_PROBLEMS = 20
_SHOWN_RECORDS = 3


class Checker:
    """Checks records as the API would without knowing what is stored; keeps the first three."""

    def __init__(self) -> None:
        self.shown: list[bytes] = []

    def send(self, records: Sequence[bytes]) -> Receipt:
        """What the API would answer, where no record is stored yet."""
        receipt = Receipt()
        for index, record in enumerate(records):
            try:
                parse_record(strict_json.loads(record), now_ms())
            except RefusedRecord as refused:
                faults = ((index, each.field, each.message) for each in refused.faults)
                receipt.rejected += faults
            else:
                receipt.accepted += 1
                if len(self.shown) < _SHOWN_RECORDS:
                    self.shown.append(record)
        return receipt


class Problems:
    """The first twenty faults, and how many each column has."""

    def __init__(self, columns: dict[str, str]) -> None:
        self._columns = columns
        self._counts: Counter[str] = Counter()
        self._first: list[tuple[str, int, str]] = []

    def write(self, row: Row, faults: Sequence[Fault]) -> None:
        """Add the faults of one row."""
        for fault in faults:
            column = fault.column or self._columns.get(fault.field) or fault.field
            self._counts[column] += 1
            if len(self._first) < MOST_PROBLEMS:
                named = "" if column == fault.field else f"{fault.field} "
                self._first.append((column, row.line_number, f"{named}{fault.message}"))

    def flush(self) -> None:
        """Nothing is stored."""

    def lines(self) -> Iterator[str]:
        """The columns with the most faults first, each with the faults among the first twenty."""
        for column, count in self._counts.most_common():
            yield escaped(f"{column}: {count:,} {'problem' if count == 1 else 'problems'}")
            for name, line, message in self._first:
                if name == column:
                    yield escaped(f"  line {line}: {message}")
