"""Write the calls of a spool as CSV or as Parquet."""

from __future__ import annotations

import io
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TextIO

from rollcall.api import strict_json
from rollcall.dialects.rollcall.queries.search import csv_header, csv_row
from rollcall.dialects.rollcall.queries.tables import write_csv
from rollcall.domain.records import RECORD_TYPES, Column, Format, Kind
from rollcall.domain.time.calendar import parse_instant
from rollcall.storage.private_files import open_private
from rollcall_cli.errors import CommandError
from rollcall_cli.exporting.spool import calls_in

if TYPE_CHECKING:
    import pyarrow as pa

FORMATS = ("parquet", "csv")

_ROWS_OF_A_GROUP = 20_000
_ID = "id"
_UPDATED_AT = "updated_at"
_DIGITS = 38  # of a decimal, as many as Parquet's readers support


def format_of(file: Path, given: str | None) -> str:
    """The format of `--format`, else of the file's name. Raises CommandError."""
    found = given or file.suffix.removeprefix(".").lower()
    if found not in FORMATS:
        option = "--format" if given else f"{file}: the ending"
        raise CommandError(f"{option} must be {' or '.join(FORMATS)}")
    if found == "parquet":
        _pyarrow()
    return found


def write(spool: Path, file: Path, format: str) -> None:
    """Write a file that replaces an earlier one once it is whole."""
    unfinished = file.with_name(file.name + ".new")
    if format == "csv":
        # The writer ends lines itself.
        with (
            open_private(unfinished, "wb") as content,
            io.TextIOWrapper(content, "utf-8", newline="") as text,
        ):
            _write_csv(spool, text)
    else:
        with open_private(unfinished, "wb") as content:
            _write_parquet(spool, content)
    unfinished.replace(file)


# ------------------------------------------------------------------------------------ CSV
def _write_csv(spool: Path, file: TextIO) -> None:
    """The columns of the API's CSV, with one for each payload key of any call."""
    keys = sorted({key for call in calls_in(spool) for key in call.get("payload", {})})
    write_csv(file, csv_header(keys), (csv_row(call, keys) for call in calls_in(spool)))


# -------------------------------------------------------------------------------- Parquet
def _write_parquet(spool: Path, file: IO[bytes]) -> None:
    pa = _pyarrow()
    import pyarrow.parquet as pq

    columns = RECORD_TYPES["call"].paged
    schema = pa.schema(
        [
            pa.field(_ID, pa.string(), nullable=False),
            *(pa.field(column.wire_name, _type_of(column)) for column in columns),
            pa.field(_UPDATED_AT, pa.timestamp("ms", tz="UTC")),
        ]
    )
    calls = calls_in(spool)
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        while rows := [_row(call, columns) for call in islice(calls, _ROWS_OF_A_GROUP)]:
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))


def _row(call: dict[str, Any], columns: tuple[Column, ...]) -> dict[str, Any]:
    row: dict[str, Any] = {_ID: str(call[_ID]), _UPDATED_AT: parse_instant(call[_UPDATED_AT])}
    for column in columns:
        value = call.get(column.wire_name)
        row[column.wire_name] = None if value is None else _stored(column, value)
    return row


def _stored(column: Column, value: Any) -> Any:
    match column.kind:
        case Kind.PAYLOAD:
            return strict_json.dumps(value)
        case Kind.COUNTS:
            return list(value.items())
    return parse_instant(value) if column.format is Format.INSTANT else value


def _type_of(column: Column) -> pa.DataType:
    """The Arrow type of a field. A payload is JSON text, because its values have any type."""
    pa = _pyarrow()
    match column.format:
        case Format.INSTANT:
            return pa.timestamp("ms", tz="UTC")
        case Format.SENTIMENT:
            return pa.decimal128(_DIGITS, 3)
        case Format.COST:
            return pa.decimal128(_DIGITS, 6)
    match column.kind:
        case Kind.IDS:
            return pa.list_(pa.string())
        case Kind.FLAG:
            return pa.bool_()
        case Kind.INTEGER:
            return pa.int64()
        case Kind.COUNTS:
            return pa.map_(pa.string(), pa.int64())
    return pa.string()


def _pyarrow() -> Any:
    try:
        import pyarrow as pa
    except ImportError as error:
        raise CommandError(
            "Parquet needs pyarrow: pip install 'rollcall-analytics[export]', or export CSV"
        ) from error
    return pa
