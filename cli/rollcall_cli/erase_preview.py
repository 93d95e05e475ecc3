"""The result of `rollcall erase --dry-run`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rollcall_cli.receipts import failed_objects

if TYPE_CHECKING:
    from rollcall.maintenance.erasure_preview import Preview


def preview_document(preview: Preview) -> dict[str, Any]:
    """As JSON."""
    organisation = preview.organisation
    return {
        "dry_run": True,
        "organisation": {"handle": organisation.handle, "id": organisation.id},
        "lead": preview.lead_id,
        "facts": dict(preview.facts),
        "rows": {str(epoch): count for epoch, count in preview.rows.items()},
        "damaged": preview.damaged,
        "remains": [
            remainder.document() for remainder in failed_objects(preview.failed_objects, "the lead")
        ],
    }


def preview_lines(preview: Preview) -> list[str]:
    """As lines of text."""
    organisation = preview.organisation
    whose = f"lead {json.dumps(preview.lead_id)} of {organisation.handle} ({organisation.id})"
    facts = ", ".join(f"{count:,} {name}" for name, count in preview.facts.items())
    rows = ", ".join(f"epoch {epoch}: {count:,}" for epoch, count in preview.rows.items())
    lines = [
        f"nothing to erase of {whose}" if preview.is_empty else f"would erase {whose}",
        f"facts: {facts}",
        f"rows: {rows}",
    ]
    if preview.damaged:
        lines.append(
            "facts that are unreadable or stored under the wrong partition key:"
            f" {preview.damaged:,}; rollcall reconcile names them"
        )
    for remainder in failed_objects(preview.failed_objects, "the lead"):
        lines += remainder.lines()
    lines.append("dry run: nothing was written")
    return lines
