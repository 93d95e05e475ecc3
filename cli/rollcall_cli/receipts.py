"""What a receipt of an erasure or a deletion says that remains, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rollcall_cli.text import printable

if TYPE_CHECKING:
    from rollcall.maintenance.erase import FailedObjects

_MS_PER_HOUR = 3_600_000
# What DynamoDB keeps: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/
_STREAM_HOURS = 24
_BACKUP_DAYS = 35


@dataclass(frozen=True, slots=True)
class Remainder:
    """Something that is still there. `until_ms` is None where it stays."""

    what: str
    until_ms: int | None = None
    count: int | None = None
    names: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """For JSON."""
        from rollcall.domain.time.calendar import format_instant

        document: dict[str, Any] = {
            "what": self.what,
            "until": None if self.until_ms is None else format_instant(self.until_ms),
        }
        if self.count is not None:
            document["count"] = self.count
        if self.names:
            document["names"] = list(self.names)
        return document

    def lines(self) -> list[str]:
        """For people."""
        from rollcall.domain.time.calendar import format_instant

        until = "" if self.until_ms is None else f" (until {format_instant(self.until_ms)})"
        return [f"  - {self.what}{until}", *(f"      {printable(name)}" for name in self.names)]


def elsewhere(at_ms: int, failed: FailedObjects, what: str) -> list[Remainder]:
    """Copies outside of the tables' items; `what` says of whom."""
    remainders = [
        Remainder(
            "the records table's stream: images of what was removed, for 24 hours",
            at_ms + _STREAM_HOURS * _MS_PER_HOUR,
        ),
        Remainder(
            "point-in-time recovery of both tables: up to 35 days, where it is on; backups on"
            " demand: until they are deleted. After a restore, do this again",
            at_ms + _BACKUP_DAYS * 24 * _MS_PER_HOUR,
        ),
    ]
    return remainders + failed_objects(failed, what)


def failed_objects(failed: FailedObjects, what: str) -> list[Remainder]:
    """What the failure destination may hold; `what` says of whom."""
    if failed.problem is not None:
        return [
            Remainder(
                f"the failure destination was not looked at ({failed.problem}): objects there may"
                f" hold records of {what}; rollcall redrive list shows them"
            )
        ]
    if not failed.names:
        return []
    return [
        Remainder(
            f"objects in the failure destination that may hold records of {what}: remove them,"
            " and their older versions",
            count=len(failed.names),
            names=failed.names,
        )
    ]
