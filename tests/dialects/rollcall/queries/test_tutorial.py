"""Every query of docs/query.md has the answer that the page shows, on the demo's records."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from rollcall_cli.demo_data import demo_records
from tests.support.answering import Deployment, deployed
from tests.support.query_oracle import QueryOracle
from tests.support.stack import ROOT, from_json, to_json

PAGE = (ROOT / "docs/query.md").read_text("utf-8")
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1_000)
RECORDS = list(demo_records(seed=7, calls=300, days=28, now=NOW))
BLOCKS = [
    json.loads(text) for text in re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
]
PAIRS = list(zip(BLOCKS[::2], BLOCKS[1::2], strict=True))


@pytest.fixture(scope="module")
def demo() -> Iterator[tuple[Deployment, str]]:
    """The records that the page names, and their organisation."""
    with deployed(NOW_MS, page_target_bytes=300_000) as deployment:
        yield deployment, deployment.organisation(RECORDS)


@pytest.mark.parametrize(("query", "shown"), PAIRS, ids=[json.dumps(query) for query, _ in PAIRS])
def test_a_query_has_the_answer_that_is_shown(
    demo: tuple[Deployment, str], query: Any, shown: dict[str, Any]
) -> None:
    deployment, org_id = demo
    answer = deployment.ask("query_records", org_id, body=query)
    assert answer.status == 200, answer.text
    body = json.loads(answer.text)
    # 1 is not 1.0 here, and members have an order.
    assert json.dumps({name: body[name] for name in shown}) == json.dumps(shown)


@pytest.fixture(scope="module")
def oracle() -> QueryOracle:
    """What brute force knows of the same records."""
    return QueryOracle(from_json(to_json(RECORDS).encode()), NOW_MS)


@pytest.mark.parametrize(("query", "shown"), PAIRS, ids=[json.dumps(query) for query, _ in PAIRS])
def test_the_answer_that_is_shown_is_that_of_brute_force(
    oracle: QueryOracle, query: Any, shown: dict[str, Any]
) -> None:
    exact = from_json(json.dumps(query).encode())
    expected = oracle.answer(exact, NOW_MS) | {"next": None}
    assert {name: expected[name] for name in shown} == from_json(json.dumps(shown).encode())


def test_there_are_twenty_questions() -> None:
    questions = re.findall(r"^### (\d+)\. .*\?$", PAGE, re.MULTILINE)
    assert questions == [str(number) for number in range(1, 21)]
    assert len(PAIRS) >= 20
