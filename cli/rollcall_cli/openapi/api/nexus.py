"""The operation of Nexus's dialect."""

from __future__ import annotations

from rollcall.dialects.nexus import Error, WorkspaceAnalytics
from rollcall_cli.openapi.operation import UNAVAILABLE, Answer, Operation, path_id

TAG = "Nexus"
ABOUT = "Query in Nexus's format."

_WORKSPACE_ANALYTICS = Operation(
    tag=TAG,
    summary="A workspace's rooms, recordings, contacts and bookings",
    description="Figures and lists cover all time. The two time lines cover today and the 29 days"
    " before, in UTC, without days that have no events. Lists are sorted by count, then by name of"
    " the type or by id. At most five rooms and five booking pages are listed, the most used ones;"
    " deleted ones are not listed, but their events are counted.",
    parameters=(path_id("workspaceId", "The workspace's id."),),
    answers={
        200: Answer("The figures.", WorkspaceAnalytics),
        400: Answer("The request has a query string, and this route takes none.", Error),
        403: Answer("The workspace is unknown, or belongs to another organisation.", Error),
        500: Answer("Internal error; `message` has the request's id.", Error),
        503: Answer(
            f"{UNAVAILABLE} Without that header: the workspace has more events than one answer may"
            " read.",
            Error,
        ),
    },
    is_metered=True,
)

OPERATIONS = {"get_workspace_analytics": _WORKSPACE_ANALYTICS}
