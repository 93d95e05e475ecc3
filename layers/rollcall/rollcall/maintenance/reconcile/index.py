"""Checks that GSI1 lists the pages and rollups of an epoch where they belong, and nothing else."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from rollcall.domain.errors import Conflict
from rollcall.maintenance import audits
from rollcall.maintenance.reconcile.context import AGAIN_SECONDS, Context
from rollcall.maintenance.reconcile.inspection import ForeignItem, Misindexed


@dataclass(slots=True)
class CompareIndex:
    """Compares the index of an epoch with what it lists."""

    context: Context

    def __call__(self) -> None:
        """Find items that GSI1 lists as pages or rollups and that are none, or are misindexed."""
        for item in self.context.index.strays():
            if isinstance(item, ForeignItem) and not self._is_foreign(item):
                continue
            is_page = item.is_page if isinstance(item, Misindexed) else _is_of_ledger(item)
            if isinstance(item, Misindexed):
                kind = audits.PAGE_DAMAGED if is_page else audits.ROLLUP_DAMAGED
                name = f"{item.pk} {item.sk}: its GSI1 attributes do not match its key"
            else:
                kind = audits.PAGE_PHANTOM if is_page else audits.ROLLUP_PHANTOM
                name = f"{item.pk} {item.sk}"
            is_repaired = self.context.is_repairing and self._repair_stray(item)
            self.context.found(kind, "", name, is_repaired=is_repaired)

    def _is_foreign(self, item: ForeignItem) -> bool:
        if "#IDENTITIES#" not in item.pk:
            return True
        self.context.sleep(AGAIN_SECONDS)
        return self.context.index.is_foreign(item)

    def _repair_stray(self, item: ForeignItem | Misindexed) -> bool:
        self.context.current()
        if isinstance(item, Misindexed):
            with contextlib.suppress(Conflict):  # it no longer exists, so nothing lists it
                self.context.index.relist(item)
        elif item.is_own:
            with contextlib.suppress(Conflict):  # it has changed, so it may belong to a segment
                self.context.index.remove(item)
        else:
            return False
        return True


def _is_of_ledger(item: ForeignItem) -> bool:
    return "#LEDGER#" in item.pk or "#IDENTITIES#" in item.pk
