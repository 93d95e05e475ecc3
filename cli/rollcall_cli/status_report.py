"""The result of `rollcall status`, as text and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rollcall.maintenance.audits import Audit
    from rollcall.maintenance.lag import Lag


@dataclass(frozen=True, slots=True)
class OrganisationStatus:
    """One organisation. `lag` is None if it was not measured, `audit` if none has finished."""

    handle: str
    lag: Lag | None
    audit: Audit | None

    @property
    def is_healthy(self) -> bool:
        """Whether its numbers are fresh, and exact where that was checked."""
        is_fresh = self.lag is None or self.lag.is_applied
        return is_fresh and (self.audit is None or self.audit.is_exact)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "handle": self.handle,
            "lag_seconds": None if self.lag is None else round(self.lag.seconds, 3),
            "applied": None if self.lag is None else self.lag.is_applied,
            "last_audit": None if self.audit is None else _audit_document(self.audit),
        }

    def row(self) -> list[str]:
        """Columns of the table: handle, lag, last audit and its result."""
        from rollcall.domain.time.calendar import format_instant

        if self.audit is None:
            return [self.handle, self._lag(), "never", "-"]
        checked = format_instant(self.audit.finished_at_ms or self.audit.checked_at_ms)
        return [self.handle, self._lag(), f"{checked[:16]}Z", _found(self.audit)]

    def _lag(self) -> str:
        if self.lag is None:
            return "-"
        return f"{'' if self.lag.is_applied else 'over '}{self.lag.seconds:.1f} s"


@dataclass(frozen=True, slots=True)
class Status:
    """A deployment; None for what was not checked."""

    place: str
    api_url: str | None
    api_answers: bool | None
    failed_objects: int | None
    organisations: tuple[OrganisationStatus, ...]

    @property
    def is_healthy(self) -> bool:
        """Whether nothing that was checked needs attention."""
        return (
            self.api_answers is not False
            and not self.failed_objects
            and all(organisation.is_healthy for organisation in self.organisations)
        )

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "healthy": self.is_healthy,
            "tables": self.place,
            "api": {"url": self.api_url, "answers": self.api_answers},
            "failed_objects": self.failed_objects,
            "organisations": [each.document() for each in self.organisations],
        }

    def lines(self) -> list[str]:
        """As text, without the table of organisations."""
        late = sum(1 for each in self.organisations if each.lag and not each.lag.is_applied)
        drifted = sum(1 for each in self.organisations if each.audit and not each.audit.is_exact)
        measured = [each.lag.seconds for each in self.organisations if each.lag]
        return [
            f"tables  reachable ({self.place})",
            f"API     {self._api()}",
            f"stream  {_stream(late, measured)}",
            f"failed  {self._failed()}",
            f"audits  {f'{drifted:,} with drift' if drifted else 'none with drift'}",
        ]

    def _api(self) -> str:
        if self.api_answers is None:
            return "not checked; pass --api or --stack-name"
        return f"{'answers' if self.api_answers else 'DOES NOT ANSWER'} at {self.api_url}"

    def _failed(self) -> str:
        if self.failed_objects is None:
            return "not checked; ROLLCALL_FAILURE_DESTINATION is not set"
        if not self.failed_objects:
            return "no records"
        return f"{self.failed_objects:,} objects; see rollcall redrive list"


def _stream(late: int, measured: list[float]) -> str:
    if not measured:
        return "not measured"
    longest = f"{max(measured):.1f} s"
    return f"{late:,} BEHIND by more than {longest}" if late else f"at most {longest} behind"


def _found(audit: Audit) -> str:
    if audit.is_exact:
        return "exact"
    left = audit.drift_count - audit.repaired
    return ", ".join(
        [
            *([f"{left:,} drifted"] if left else []),
            *([f"{audit.unsettled:,} unverified"] if audit.unsettled else []),
        ]
    )


def _audit_document(audit: Audit) -> dict[str, Any]:
    from rollcall.domain.time.calendar import format_instant

    return {
        "finished_at": format_instant(audit.finished_at_ms or audit.checked_at_ms),
        "exact": audit.is_exact,
        "drift": audit.drift_count,
        "repaired": audit.repaired,
        "unsettled": audit.unsettled,
    }
