"""`rollcall openapi`: print the OpenAPI document of the API that the template declares."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from rollcall_cli.local.project import find_template
from rollcall_cli.local.template import load_template
from rollcall_cli.openapi.document import openapi_document
from rollcall_cli.openapi.examples import EXAMPLES


def openapi(
    template: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Template; default: template.yaml in this folder or above it."
        ),
    ] = None,
) -> None:
    """Print the OpenAPI 3.1 document of the whole API."""
    print(document_text(template or find_template()), end="")


def document_text(template: Path) -> str:
    """The content of docs/api/openapi.json."""
    document = openapi_document(load_template(template), template.parent / EXAMPLES)
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
