"""The examples of the document: requests and their answers, one file per function.

A file is `<function>.json`: {case: {"summary", "request": {"path", "query", "headers", "body"},
"status", "answer"}}; a request omits the parts that it does not have, and an answer that is a text is
CSV. A test sends the requests, beginning with `SETTING`, and compares the answers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# This example writes the records that the others query.
SETTING = ("ingest_records", "accepted")

# Relative to the template's folder.
EXAMPLES = Path("docs/api/examples")


@dataclass(frozen=True, slots=True)
class Example:
    """One request and its answer.

    `is_shortened` is true if lists in the answer have more entries than are shown.
    """

    name: str
    summary: str
    request: Mapping[str, Any]
    status: int
    answer: Any
    is_shortened: bool = False


def read_examples(folder: Path) -> dict[str, list[Example]]:
    """The examples of each function, by name."""
    return {
        path.stem: [
            Example(name=name, **content)
            for name, content in json.loads(path.read_text("utf-8")).items()
        ]
        for path in sorted(folder.glob("*.json"))
    }
