"""Lists the faults of refused records in an answer that Lambda can deliver."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from rollcall.api import strict_json
from rollcall.api.records.faults import RecordFault
from rollcall.ingest.ingest import Refusal

# Lambda carries the answer as a string in JSON, where each of its bytes may take two.
MAX_LISTED_BYTES: Final = 3_000_000
# The most that one entry takes beside the id, for any fault.
_ENTRY_BYTES: Final = 1_100
# What every entry has: `{"index":499,"id":,"field":,"message":},`.
_FRAME_BYTES: Final = 42
# The search for the nearest known name takes half a millisecond for each.
_MOST_SEARCHES: Final = 1_000


class Listing:
    """The faults of one request. Each refused record has its first one in the answer.

    The others are listed as long as there is room for them. Where some are left out, the last one
    that is listed says how many. After 1,000 different unknown names no nearest name is searched.
    """

    def __init__(self, documents: Sequence[Any]) -> None:
        self._documents = documents
        self._room: int | None = None
        self._searched: set[str] = set()

    def refusals(self, index: int, faults: Sequence[RecordFault]) -> list[Refusal]:
        """The faults of a record that are listed, in their order."""
        first, *others = faults
        listed = [Refusal(index, first.field, self._message(first))]
        if others:
            listed += self._fitting(index, others)
        left_out = len(faults) - len(listed)
        if left_out:
            last = listed[-1]
            noun = "fault" if left_out == 1 else "faults"
            message = f"{last.message}; {left_out} more {noun} of this record not listed"
            listed[-1] = Refusal(index, last.field, message)
        return listed

    def _fitting(self, index: int, faults: Sequence[RecordFault]) -> list[Refusal]:
        """Faults after the first of a record, as many as there is room for."""
        if self._room is None:
            reserved = sum(_id_bytes(each) + _ENTRY_BYTES for each in self._documents)
            self._room = MAX_LISTED_BYTES - reserved
        frame_bytes = _FRAME_BYTES + _id_bytes(self._documents[index])
        fitting = []
        for fault in faults:
            refusal = Refusal(index, fault.field, self._message(fault))
            size = frame_bytes + _json_bytes(refusal.field) + _json_bytes(refusal.message)
            if size > self._room:
                break
            self._room -= size
            fitting.append(refusal)
        return fitting

    def _message(self, fault: RecordFault) -> str:
        """The message of a fault, without the nearest name after too many different names."""
        if fault.known and fault.field not in self._searched:
            if len(self._searched) == _MOST_SEARCHES:
                return fault.rule
            self._searched.add(fault.field)
        return fault.message


def _id_bytes(document: Any) -> int:
    """The most bytes that the id of a record takes in the answer."""
    sent = document.get("id") if isinstance(document, dict) else None
    return 4 if isinstance(sent, dict | list) else _json_bytes(sent)


def _json_bytes(value: Any) -> int:
    return len(strict_json.dumps(value).encode())
