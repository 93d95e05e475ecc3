"""The operations of the API, by the function that answers; routes are the template's alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rollcall_cli.openapi import audit, breeze, nexus, nlpearl, records, unpod
from rollcall_cli.openapi.operation import Operation

TAGS = {
    records.TAG: "Writing: calls, tasks, leads, and what they name.",
    unpod.TAG: "Reading as Unpod's clients do.",
    breeze.TAG: "Reading as Breeze's clients do.",
    nlpearl.TAG: "Reading as NLPearl's clients do.",
    nexus.TAG: "Reading as Nexus's clients do.",
    audit.TAG: "Whether the figures are right.",
}

# What the types do not say themselves.
REFINEMENTS: tuple[Callable[[dict[str, Any]], None], ...] = (
    records.refine,
    breeze.refine,
    audit.refine,
)

OPERATIONS: Mapping[str, Operation] = {
    "ingest_records": records.INGEST,
    "get_organisation_analytics": unpod.ORGANISATION_ANALYTICS,
    "list_organisations": unpod.ORGANISATIONS,
    "query_analytics": breeze.QUERY,
    "get_inbound_analytics": nlpearl.INBOUND,
    "get_outbound_analytics": nlpearl.OUTBOUND,
    "get_pearl_analytics": nlpearl.PEARL,
    "get_workspace_analytics": nexus.WORKSPACE_ANALYTICS,
    "get_audit": audit.AUDIT,
}
