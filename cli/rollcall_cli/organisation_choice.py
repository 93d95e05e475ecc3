"""The organisations that a maintenance command is for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rollcall_cli.errors import CommandError

if TYPE_CHECKING:
    from types import ModuleType

    from rollcall.domain.organisations import Organisation


def chosen(bootstrap: ModuleType, handles: Sequence[str] | None) -> Iterator[Organisation]:
    """The organisations with some handles, or all. Raises CommandError before the first one."""
    directory = bootstrap.directory()
    if not handles:
        yield from (o for o in list(directory.organisations()) if not o.is_deleting)
        return
    found = []
    for handle in dict.fromkeys(handles):
        org_id = directory.org_id_of_handle(handle)
        organisation = None if org_id is None else directory.organisation(org_id)
        if organisation is None:
            raise CommandError(f"no organisation has the handle {handle!r}")
        if organisation.is_deleting:
            raise CommandError(f"{handle} is being deleted")
        found.append(organisation)
    yield from found
