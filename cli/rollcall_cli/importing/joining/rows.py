"""From the rows of a file, each with a leg, to one row for each call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from rollcall.mapping.fields import Fault
from rollcall_cli.api_client import Interrupted
from rollcall_cli.errors import CommandError
from rollcall_cli.importing.joining.calls import Calls
from rollcall_cli.importing.joining.legs import Leg
from rollcall_cli.importing.joining.spool import Kept, Spool
from rollcall_cli.importing.lines import MAX_RECORD_BYTES
from rollcall_cli.importing.rows import Row
from rollcall_cli.importing.source import Position

_TOO_LONG = (Fault("record", "has rows of more than 2,000,000 bytes"),)


def joined_rows(
    rows: Iterable[Row],
    start: Position,
    calls: Calls,
    *,
    sent: int,
    wants_to_stop: Callable[[], bool],
) -> Iterator[Row]:
    """A row for each call whose last row ends after the offset `sent`, in the order of those ends.

    All rows, which follow `start`, are read before this returns. Raises Interrupted if `wants_to_stop`
    ends that early.
    """
    spool = Spool()
    whole = start
    for row in rows:
        if wants_to_stop():
            raise Interrupted
        spool.add(row)
        whole = row.end
    if whole.offset < sent:
        raise CommandError("the file has become shorter while it was read")
    return _calls(spool, whole, calls, sent)


def _calls(spool: Spool, whole: Position, calls: Calls, sent: int) -> Iterator[Row]:
    with spool:
        for kept in spool.calls(sent):
            yield _call(kept, whole, calls)


def _call(kept: Iterator[Kept], whole: Position, calls: Calls) -> Row:
    """The row of a call. Of one that is too long, the text is that of its first rows."""
    lines = size = 0
    numbers: list[int] = []
    texts: list[str] = []
    legs: list[Leg] = []
    faults: tuple[Fault, ...] = ()
    for each in kept:
        last = each
        lines += each.lines
        size += len(each.text)
        if size > MAX_RECORD_BYTES:
            faults = _TOO_LONG
            continue
        numbers.append(each.line)
        texts.append(each.text)
        if isinstance(each.leg, Leg):
            legs.append(each.leg)
        else:
            faults = each.leg
    return Row(
        numbers[0],
        lines,
        Position(last.offset, last.end_lines, whole.digest),
        "\n".join(texts),
        faults or calls.record(legs),
        is_csv=len(texts) == 1,
        rows=tuple(numbers) if len(numbers) > 1 else (),
        bound=whole.offset,
    )
