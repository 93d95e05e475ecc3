"""The API's documentation on the local gateway: the OpenAPI document and a page that shows it.

The page is Swagger UI from a pinned package. It loads nothing from other hosts, and a policy makes
the browser refuse to. It stores no token in the browser. If the stack has an organisation of its own,
the page gets the token by a POST whose answer only pages of the same origin can read: the token is
not in a script, which any page may load, nor in a URL, which the browser keeps.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

from rollcall_cli.local.http_request import HttpRequest
from rollcall_cli.local.proxy_response import HttpResponse
from rollcall_cli.local.routes import RouteTable
from rollcall_cli.local.template_model import Route
from rollcall_cli.local.try_out import TryOut, with_samples

PAGE = "/_local/docs"
DOCUMENT = "/_local/openapi.json"
TOKEN = f"{PAGE}/token"
# The document, relative to the template's folder.
DOCUMENT_FILE = Path("docs/api/openapi.json")

_PACKAGE = "flask_openapi3_swagger"  # only its files are used; it is not imported
_ASSETS = {
    "swagger-ui.css": ("css", "text/css; charset=utf-8"),
    "swagger-ui-bundle.js": ("js", "text/javascript; charset=utf-8"),
}
_HTML = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Rollcall API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{PAGE}/swagger-ui.css">
</head>
<body>
<main id="page"></main>
<noscript>This page needs JavaScript. The document itself is at {DOCUMENT}.</noscript>
<script src="{PAGE}/swagger-ui-bundle.js"></script>
<script src="{PAGE}/start.js"></script>
</body>
</html>
"""
# validatorUrl: by default, Swagger UI loads a badge from the internet.
# "authorized": earlier versions of this page stored tokens there.
_START = f"""localStorage.removeItem("authorized");
fetch("{TOKEN}", {{method: "POST"}})
  .then((answer) => answer.json())
  .then(({{token}}) => {{
    const page = SwaggerUIBundle({{
      url: "{DOCUMENT}",
      domNode: document.getElementById("page"),
      deepLinking: true,
      defaultModelsExpandDepth: 0,
      displayRequestDuration: true,
      docExpansion: "list",
      onComplete: () => token && page.preauthorizeApiKey("bearer", token),
      persistAuthorization: false,
      tryItOutEnabled: true,
      validatorUrl: null,
    }});
  }});
"""
# Swagger UI uses inline styles and data: images; everything else is of this origin.
_POLICY = (
    "default-src 'none'; connect-src 'self'; img-src 'self' data:; script-src 'self';"
    " style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)


def documentation(
    request: HttpRequest, project: Path, routes: RouteTable[Route], try_out: TryOut | None
) -> HttpResponse | None:
    """The answer to a request for the documentation of `project`; None for any other request."""
    path = request.raw_path.removesuffix("/")
    # A browser sends its origin with every POST, and the server has refused other origins.
    if request.method == "POST" and path == TOKEN and request.header_values("origin"):
        token = None if try_out is None else try_out.token
        return _response(json.dumps({"token": token}).encode(), "application/json")
    if request.method != "GET":
        return None
    return _document(project, routes, try_out) if path == DOCUMENT else _page(path)


def _document(
    project: Path, routes: RouteTable[Route], try_out: TryOut | None
) -> HttpResponse | None:
    response = _file(project / DOCUMENT_FILE, "application/json")
    if response is None or try_out is None:
        return response
    document = with_samples(json.loads(response.body), try_out, routes)
    return _response(json.dumps(document, ensure_ascii=False).encode(), "application/json")


def _page(path: str) -> HttpResponse | None:
    """The page or one of its files."""
    if path == PAGE:
        return _response(_HTML.encode(), "text/html; charset=utf-8")
    folder, _, name = path.rpartition("/")
    if folder != PAGE:
        return None
    if name == "start.js":
        return _response(_START.encode(), "text/javascript; charset=utf-8")
    if name in _ASSETS:
        package = importlib.util.find_spec(_PACKAGE)
        if package is not None and package.submodule_search_locations:
            kind, media_type = _ASSETS[name]
            root = Path(package.submodule_search_locations[0])
            return _file(root / "templates" / "swagger" / kind / name, media_type)
    return None


def _file(path: Path, media_type: str) -> HttpResponse | None:
    try:
        return _response(path.read_bytes(), media_type)
    except OSError:
        return None


def _response(body: bytes, media_type: str) -> HttpResponse:
    headers = (
        ("Content-Type", media_type),
        ("Cache-Control", "no-store"),
        ("Content-Security-Policy", _POLICY),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
    )
    return HttpResponse(200, headers, body)
