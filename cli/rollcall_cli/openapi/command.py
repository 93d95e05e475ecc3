"""`rollcall openapi`: print the OpenAPI document of the API that the template declares."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from rollcall_cli.local.stack import find_template
from rollcall_cli.local.template import load_template
from rollcall_cli.openapi.document import openapi_document

# Beside the template, as the document itself is.
EXAMPLES = Path("docs/api/examples")


def openapi(
    template: Annotated[
        Path | None, typer.Option(help="template.yaml; found here or above by default.")
    ] = None,
) -> None:
    """Print the OpenAPI 3.1 document of the whole API."""
    print(document_text(template or find_template()), end="")


def document_text(template: Path) -> str:
    """The document as the file that is kept holds it."""
    document = openapi_document(load_template(template), template.parent / EXAMPLES)
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
