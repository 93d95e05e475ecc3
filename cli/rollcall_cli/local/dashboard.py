"""The dashboard on the local gateway: the files that `make dashboard` built, at `/`.

A deployed stack serves the same files with the same headers from CloudFront
(infrastructure/dashboard.yaml; a test compares them).
"""

from __future__ import annotations

import re
from pathlib import Path

from rollcall_cli.local.http_request import HttpRequest
from rollcall_cli.local.proxy_response import HttpResponse

# Relative to the template's folder.
FOLDER = Path("dashboard/dist")
# One folder and names without a path: no request leads out of it.
_PATH = re.compile(r"/(?:(licences\.txt)|(assets/[A-Za-z0-9_-]+\.[a-z0-9]+))?")
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
CACHED_BY_NAME = "public, max-age=31536000, immutable"
CHECKED_EACH_TIME = "no-cache"
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
        " connect-src 'self'; font-src 'self'; media-src https:; base-uri 'none';"
        " form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def dashboard(request: HttpRequest, project: Path) -> HttpResponse | None:
    """The answer to a request for a file of the dashboard of `project`; None for any other request."""
    match = _PATH.fullmatch(request.raw_path)
    if match is None or request.method not in ("GET", "HEAD"):
        return None
    licences, asset = match.groups()
    name = Path(licences or asset or "index.html")
    if name.suffix not in _MEDIA_TYPES:
        return None
    try:
        body = (project / FOLDER / name).read_bytes()
    except OSError:
        return None
    headers = {
        "Content-Type": _MEDIA_TYPES[name.suffix],
        # The name of an asset changes with its content.
        "Cache-Control": CACHED_BY_NAME if asset else CHECKED_EACH_TIME,
    }
    return HttpResponse(200, tuple((headers | SECURITY_HEADERS).items()), body)
