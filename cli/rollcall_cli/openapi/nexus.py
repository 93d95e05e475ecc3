"""What the document says of Nexus's dialect."""

from __future__ import annotations

from rollcall.dialects.nexus import Error, WorkspaceAnalytics
from rollcall_cli.openapi.operation import Answer, Operation, path_id

TAG = "Nexus"

WORKSPACE_ANALYTICS = Operation(
    tag=TAG,
    summary="A workspace's rooms, recordings, contacts and bookings",
    description="Figures and lists are of all time; the two time lines are of today and the 29 days"
    " before it, UTC, without the days on which nothing happened. Lists are by count, then by name"
    " of the type or by id. The most used rooms and booking pages are at most five of each; deleted"
    " ones are left out, what happened in them stays counted.",
    parameters=(path_id("workspaceId", "The workspace's id."),),
    answers={
        200: Answer("The figures.", WorkspaceAnalytics),
        400: Answer("There is a query, and this route takes none.", Error),
        403: Answer("The workspace is unknown, or another organisation's.", Error),
        500: Answer("Something failed here; the message names the request.", Error),
        503: Answer("The workspace has more events than one answer may read.", Error),
    },
    is_metered=True,
)
