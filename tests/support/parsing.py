"""Records as ingest sees them: through strict JSON text, never as Python values."""

from __future__ import annotations

from typing import Any

from rollcall.api import strict_json
from rollcall.api.records.documents import parse_record
from rollcall.domain.facts import Change
from tests.support.stack import to_json


def parsed(record: Any) -> Change:
    """The change that a record asks for; raises RefusedRecord."""
    return parse_record(strict_json.loads(to_json(record).encode()))
