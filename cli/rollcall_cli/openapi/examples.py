"""The examples of the document: requests and what they were answered, one file each.

A file is `<function>/<case>.json`: {"summary", "request": {"path", "query", "headers", "body"},
"status", "answer"}, where a request leaves out what it does not have. The answers are real: a test
sends the requests, in the order of `SETTING` first, and compares.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What the other examples ask about is what this one wrote.
SETTING = ("ingest_records", "accepted")


@dataclass(frozen=True, slots=True)
class Example:
    """One exchange."""

    name: str
    summary: str
    request: Mapping[str, Any]
    status: int
    answer: Any


def read_examples(folder: Path) -> dict[str, list[Example]]:
    """The examples of each function, by name."""
    examples: dict[str, list[Example]] = {}
    for path in sorted(folder.glob("*/*.json")):
        content = json.loads(path.read_text("utf-8"))
        examples.setdefault(path.parent.name, []).append(Example(name=path.stem, **content))
    return examples
