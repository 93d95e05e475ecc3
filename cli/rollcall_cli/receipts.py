"""What remains after an erasure or a deletion, and until when, for its receipt."""

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
    """Data that remains, until `until_ms`; None: permanently."""

    what: str
    until_ms: int | None = None
    count: int | None = None
    names: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """As JSON."""
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
        """As lines of text."""
        from rollcall.domain.time.calendar import format_instant

        until = "" if self.until_ms is None else f" (until {format_instant(self.until_ms)})"
        return [f"  - {self.what}{until}", *(f"      {printable(name)}" for name in self.names)]


def elsewhere(at_ms: int, failed: FailedObjects, what: str) -> list[Remainder]:
    """Copies outside the tables; `what` names whose they are."""
    remainders = [
        Remainder(
            "the records table's stream: images of removed items, for 24 hours",
            at_ms + _STREAM_HOURS * _MS_PER_HOUR,
        ),
        Remainder(
            "point-in-time recovery of both tables, where it is enabled: up to 35 days; on-demand"
            " backups: until they are deleted. After a restore, run this command again",
            at_ms + _BACKUP_DAYS * 24 * _MS_PER_HOUR,
        ),
    ]
    return remainders + failed_objects(failed, what)


def failed_objects(failed: FailedObjects, what: str) -> list[Remainder]:
    """Failed records that may remain; `what` names whose they are."""
    if failed.problem is not None:
        return [
            Remainder(
                f"the failure destination could not be read ({failed.problem}): its objects may"
                f" hold records of {what}; rollcall redrive list shows them"
            )
        ]
    if not failed.names:
        return []
    return [
        Remainder(
            f"objects in the failure destination that may hold records of {what}: remove them"
            " and their older versions",
            count=len(failed.names),
            names=failed.names,
        )
    ]
