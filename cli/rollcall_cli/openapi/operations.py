"""The operations of the API, by function; their routes are in the template."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rollcall_cli.openapi import audit, breeze, nexus, nlpearl, records, unpod
from rollcall_cli.openapi.operation import Operation

TAGS = {
    records.TAG: "Write calls, tasks, leads, and what they refer to.",
    unpod.TAG: "Query in Unpod's format.",
    breeze.TAG: "Query in Breeze's format.",
    nlpearl.TAG: "Query in NLPearl's format.",
    nexus.TAG: "Query in Nexus's format.",
    audit.TAG: "Check that the figures are exact.",
}

# Changes to schemas that the types cannot express.
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
