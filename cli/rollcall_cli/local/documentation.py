"""The API's documentation, served by the local gateway: the OpenAPI document and a page to read it.

The page is Swagger UI from a pinned package. Nothing on it comes from another host, and the browser
is told to refuse whatever would.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from rollcall_cli.local.proxy_response import HttpResponse

PAGE = "/_local/docs"
DOCUMENT = "/_local/openapi.json"
# Where the document is kept, beside the template.
DOCUMENT_FILE = Path("docs/api/openapi.json")

_PACKAGE = "flask_openapi3_swagger"  # for its files; it is never imported
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
# validatorUrl: Swagger UI would otherwise ask a server on the internet for a badge.
_START = f"""SwaggerUIBundle({{
  url: "{DOCUMENT}",
  domNode: document.getElementById("page"),
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  docExpansion: "list",
  persistAuthorization: true,
  tryItOutEnabled: true,
  validatorUrl: null,
}});
"""
# Swagger UI styles elements one by one and draws with data: images; all else is this origin's.
_POLICY = (
    "default-src 'none'; connect-src 'self'; img-src 'self' data:; script-src 'self';"
    " style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)


def documentation(raw_path: str, project: Path) -> HttpResponse | None:
    """What GET answers for this path, in the project whose template is served; None: not here."""
    path = raw_path.removesuffix("/")
    if path == DOCUMENT:
        return _file(project / DOCUMENT_FILE, "application/json")
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
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
    )
    return HttpResponse(200, headers, body)
