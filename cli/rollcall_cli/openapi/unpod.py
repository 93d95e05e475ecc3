"""What the document says of Unpod's dialect."""

from __future__ import annotations

from rollcall.dialects.unpod import Error, OrganisationAnalytics, Organisations
from rollcall_cli.openapi.operation import Answer, Operation, Parameter

TAG = "Unpod"

_FAILED = Answer("Something failed here; the message names the request.", Error)

ORGANISATION_ANALYTICS = Operation(
    tag=TAG,
    summary="Calls and tasks of an organisation, or of one of its spaces",
    description="Totals of all time. A space is known when there is a record of it, or anything"
    " that names it.",
    parameters=(
        Parameter("Org-Handle", "header", "The token's organisation, compared exactly.", True),
        Parameter("space_token", "query", "Only what carries this `space_token`."),
    ),
    answers={
        200: Answer("The totals.", OrganisationAnalytics),
        400: Answer("The header is missing, empty or repeated, or the query is wrong.", Error),
        403: Answer("`Org-Handle` names an organisation that is not the token's.", Error),
        404: Answer("There is no organisation with that handle, or no such space.", Error),
        500: _FAILED,
    },
    is_metered=True,
)

ORGANISATIONS = Operation(
    tag=TAG,
    summary="The organisation of the token",
    description="A list of one. `Org-Handle` is not needed.",
    answers={
        200: Answer("The organisation.", Organisations),
        400: Answer("There is a query, and this route takes none.", Error),
        500: _FAILED,
    },
)
