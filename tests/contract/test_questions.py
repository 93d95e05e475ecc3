"""Generated questions over HTTP, on the real engines: every body against brute force."""

import os
import time
from random import Random
from urllib.parse import quote, urlencode

import pytest

from tests.support.agreement import difference
from tests.support.answering import Answer
from tests.support.generate import batches, without_ties
from tests.support.oracle import Oracle
from tests.support.questions import scenario
from tests.support.stack import BREEZE, nexus_route, nlpearl_route

SCENARIOS = {"moto": 2}  # its transactions are slow
QUESTIONS = 120
SEED = os.environ.get("ROLLCALL_TEST_SEED", "1")


def route(question):
    match question.function:
        case "query_analytics":
            path = BREEZE
        case "get_workspace_analytics":
            path = nexus_route(question.path_id)
        case _:
            kind = question.function.removeprefix("get_").removesuffix("_analytics").title()
            path = nlpearl_route(kind, question.path_id)
    if question.query:
        pairs = [(name, value) for name, values in question.query.items() for value in values]
        path += "?" + urlencode(pairs, quote_via=quote)
    return path


@pytest.mark.slow
def test_generated_questions_over_http(stack, engine):
    for number in range(SCENARIOS.get(engine, 6)):
        asked = scenario(Random(f"http/{SEED}/{number}"), QUESTIONS)
        org, oracle, now_ms = stack.new_organisation(), Oracle(), time.time_ns() // 1_000_000
        records = without_ties(asked.records[:400], Oracle(), now_ms)
        for batch in batches(records, 200):
            status, _ = oracle.post(batch, now_ms)
            assert org.post(batch).status == status
        stack.drain()
        for question in asked.questions:
            # What time it is, is the stack's business; Unpod has tests of its own.
            if question.now_ms is not None or question.function == "get_organisation_analytics":
                continue
            method = "GET" if question.body is None else "POST"
            answer = org.send(method, route(question), question.body)
            status, expected = question.expected(oracle)
            found = Answer(answer.status, dict(answer.headers), answer.body.decode())
            problem = difference(question, found, status, expected)
            assert problem is None, f"{problem}\n{question}\n{found.text[:2_000]}"
