"""Look facts up by their ids."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from rollcall.domain.errors import UnknownOrganisation
from rollcall.domain.facts import Fact
from rollcall.domain.questions import Reading
from rollcall.maintenance.ports import Directory, Facts


class LookUp:
    """Reads facts of one type consistently."""

    def __init__(self, directory: Directory, facts: Facts) -> None:
        self._directory = directory
        self._facts = facts
        # An organisation's buckets never change, so they may be remembered; nothing else may.
        self._buckets: dict[str, int] = {}

    def __call__(
        self, reading: Reading, record_type: str, ids: Collection[str]
    ) -> Mapping[str, Fact]:
        """The stored facts among `ids`, tombstones too. Raises UnknownOrganisation."""
        if not ids:
            return {}
        org_id, meter = reading.epoch.org_id, reading.meter
        if org_id not in self._buckets:
            organisation = self._directory.organisation(org_id, meter)
            if organisation is None:
                raise UnknownOrganisation(org_id)
            self._buckets[org_id] = organisation.buckets
        return self._facts.look_up(org_id, self._buckets[org_id], record_type, ids, meter)
