"""The operations of Unpod's dialect."""

from __future__ import annotations

from rollcall.dialects.unpod import Error, OrganisationAnalytics, Organisations
from rollcall_cli.openapi.operation import UNAVAILABLE, Answer, Operation, Parameter

TAG = "Unpod"
ABOUT = "Query in Unpod's format."

_FAILED = Answer("Internal error; `message` has the request's id.", Error)

_ORGANISATION_ANALYTICS = Operation(
    tag=TAG,
    summary="Calls and tasks of an organisation, or of one of its spaces",
    description="Totals of all time. A space exists once a record of it, or one that names it, is"
    " stored.",
    parameters=(
        Parameter(
            "Org-Handle", "header", "The handle of the token's organisation, case-sensitive.", True
        ),
        Parameter("space_token", "query", "Count only records with this `space_token`."),
    ),
    answers={
        200: Answer("The totals.", OrganisationAnalytics),
        400: Answer(
            "The header is missing, empty or repeated, or the query string is invalid.", Error
        ),
        403: Answer("`Org-Handle` is not the token's organisation.", Error),
        404: Answer("There is no organisation with that handle, or no such space.", Error),
        500: _FAILED,
        503: Answer(UNAVAILABLE, Error),
    },
    is_metered=True,
)

_ORGANISATIONS = Operation(
    tag=TAG,
    summary="The organisation of the token",
    description="A list of one organisation. `Org-Handle` is not required.",
    answers={
        200: Answer("The organisation.", Organisations),
        400: Answer("The request has a query string, and this route takes none.", Error),
        500: _FAILED,
        503: Answer(UNAVAILABLE, Error),
    },
)

OPERATIONS = {
    "get_organisation_analytics": _ORGANISATION_ANALYTICS,
    "list_organisations": _ORGANISATIONS,
}
