"""The schema cannot differ from what parses: everything in it is accepted, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from rollcall.dialects.rollcall.queries.request import parse_query
from rollcall.dialects.rollcall.queries.schema import DatasetSchema, schema_body
from rollcall.domain.errors import RefusedQuery
from rollcall.query.datasets import DATASETS

NOW = 1_795_867_200_000
SCHEMA = schema_body()
VALUES: dict[str, Any] = {"text": "a", "id": "a", "number": 1, "boolean": True, "payload": "a"}


def accepts(body: dict[str, Any]) -> bool:
    try:
        parse_query(body, "org", NOW)
    except RefusedQuery:
        return False
    return True


def sent(field: Any, op: str) -> dict[str, Any]:
    """A condition with a value that the operator takes."""
    if op in ("is_null", "not_null"):
        return {"field": field["name"].replace("<key>", "k"), "op": op}
    value: Any = VALUES[field["type"]]
    if op in ("lt", "lte", "gt", "gte", "between"):
        value = 1
    if op in ("contains", "starts_with"):
        value = "a"
    if op in ("in", "not_in"):
        value = [value]
    return {
        "field": field["name"].replace("<key>", "k"),
        "op": op,
        "value": [1, 1] if op == "between" else value,
    }


@pytest.mark.parametrize("dataset", SCHEMA["datasets"], ids=lambda each: each["name"])
def test_every_name_of_a_dataset_is_accepted(dataset: DatasetSchema) -> None:
    name, some_measure = dataset["name"], dataset["measures"][0]["name"]
    for measure in dataset["measures"]:
        assert accepts({"dataset": name, "measures": [measure["name"].replace("<key>", "k")]})
        assert measure["unit"]
        assert measure["description"].endswith(".")
    for dimension in dataset["dimensions"]:
        named = dimension["name"].replace("<key>", "k")
        measures = [m["name"] for m in dataset["measures"] if m["name"] != named]
        body = {"dataset": name, "measures": measures[:1], "dimensions": [named]}
        assert accepts(body)
    for field in dataset["fields"]:
        closed = DATASETS[name].fields.get(field["name"])
        for op in field["ops"]:
            condition = sent(field, op)
            if closed is not None and closed.choices and op in ("eq", "ne", "in", "not_in"):
                is_list = isinstance(condition["value"], list)
                condition["value"] = [closed.choices[0]] if is_list else closed.choices[0]
            assert accepts({"dataset": name, "measures": [some_measure], "filters": [condition]})


@pytest.mark.parametrize("dataset", SCHEMA["datasets"], ids=lambda each: each["name"])
def test_an_operator_that_a_field_does_not_list_is_refused(dataset: DatasetSchema) -> None:
    every = {op for each in dataset["fields"] for op in each["ops"]}
    for field in dataset["fields"]:
        for op in sorted(every - set(field["ops"])):
            body = {"dataset": dataset["name"], "measures": [dataset["measures"][0]["name"]]}
            assert not accepts({**body, "filters": [sent(field, op)]})


def test_periods_and_comparisons_are_accepted() -> None:
    for period in SCHEMA["periods"]:
        for compare in SCHEMA["compare"]:
            assert accepts({"measures": ["calls"], "period": period, "compare": compare})


def test_limits_are_where_they_are_stated() -> None:
    limits = SCHEMA["limits"]
    names = [each["name"] for each in SCHEMA["datasets"][0]["measures"] if "<" not in each["name"]]
    condition = {"field": "outcome", "op": "eq", "value": "a"}
    for most, body_of in [
        (limits["measures"], lambda n: {"measures": names[:n]}),
        (limits["conditions"], lambda n: {"measures": ["calls"], "filters": [condition] * n}),
        (limits["rows"], lambda n: {"measures": ["calls"], "limit": n}),
        (
            limits["values"],
            lambda n: {
                "measures": ["calls"],
                "filters": [{"field": "outcome", "op": "in", "value": ["a"] * n}],
            },
        ),
        (limits["nesting"], lambda n: {"measures": ["calls"], "filters": [nested(condition, n)]}),
    ]:
        assert accepts(body_of(most))
        assert not accepts(body_of(most + 1))


def nested(condition: dict[str, Any], depth: int) -> dict[str, Any]:
    return condition if depth == 1 else {"not": nested(condition, depth - 1)}
