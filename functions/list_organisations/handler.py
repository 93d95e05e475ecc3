"""Answer GET /api/v2/platform/organizations/ in Unpod's shape: the token's organisation."""

from rollcall.api.handlers import Request, Response, endpoint, json_response, refuse_others
from rollcall.bootstrap import directory
from rollcall.dialects import unpod
from rollcall.domain.errors import UnknownOrganisation

service = directory()


@endpoint(unpod.error_body)
def lambda_handler(request: Request) -> Response:
    """The one organisation that the token belongs to."""
    refuse_others(request)
    organisation = service.organisation(request.caller.org_id)
    if organisation is None or organisation.is_deleting:
        raise UnknownOrganisation(request.caller.org_id)
    return json_response(200, unpod.organisations_body(organisation))
