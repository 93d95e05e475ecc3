"""docs/records.md: up to date, complete, and true by the parser of records."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest

from rollcall.api.records.documents import DOCUMENTS, Deletion, parse_record
from rollcall.api.records.faults import RefusedRecord
from tests.support.builders import BUILDERS, OMIT
from tests.support.openapi import ROOT
from tests.support.record_limits import LIMITS, REQUIRED

PAGE = ROOT / "docs/records.md"
COMMON = {"type", "id", "updated_at"}
Rows = dict[str, dict[str, str]]


def tables() -> dict[str, Rows]:
    """The first table below each heading: rows by what their first cell shows as code."""
    found: dict[str, Rows] = {}
    for section in re.split(r"^#+ ", PAGE.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        lines = [line for line in section.splitlines() if line.startswith("|")]
        if lines:
            names, _, *rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in lines)
            assert all(len(row) == len(names) for row in rows)
            found[section.splitlines()[0]] = {
                re.sub(r"^\[?`|`.*", "", row[0]): dict(zip(names, row, strict=True)) for row in rows
            }
    return found


TABLES = tables()
FIELDS = [
    pytest.param(type, field, row, id=f"{type}.{field}")
    for type in DOCUMENTS
    for field, row in TABLES[type].items()
]


def is_taken(record: Any) -> bool:
    try:
        parse_record(record)
    except RefusedRecord:
        return False
    return True


@pytest.mark.representatives(1)
@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_the_file_is_what_the_models_say(hash_seed):
    made = subprocess.run(
        [sys.executable, "-m", "rollcall_cli.openapi.reference"],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        capture_output=True,
        check=True,
    )
    assert made.stdout.decode() == PAGE.read_text("utf-8"), "run `make records`"


def test_every_type_and_every_field_is_there():
    assert list(TABLES["Types"]) == list(DOCUMENTS)
    assert set(TABLES["Records"]) == COMMON
    for type, model in DOCUMENTS.items():
        names = {field.alias or name for name, field in model.model_fields.items()}
        assert set(TABLES[type]) == names - COMMON


@pytest.mark.parametrize(("type", "field", "row"), FIELDS)
def test_a_field_says_what_it_means_and_whether_it_is_required(type, field, row):
    assert row["meaning"].endswith(".")
    assert row["type"]
    assert row["required"] in ("", "yes")
    assert (row["required"] == "yes") == (field in REQUIRED[type])
    assert is_taken(BUILDERS[type]("x", **{field: OMIT})) == (row["required"] == "")


@pytest.mark.parametrize(("type", "field", "row"), FIELDS)
def test_the_type_and_the_rule_are_those_of_the_parser(type, field, row):
    """What the row promises is accepted, and what lies just outside of it is refused."""

    def takes(value: Any) -> bool:
        extra = {"direction": "inbound"} if field == "campaign_id" else {}
        return is_taken(BUILDERS[type]("x", **{**extra, field: value}))

    samples = {
        "string": ["a"],
        "string or null": ["a", None],
        "number": [0, 1, Decimal("0.5")],
        "integer": [1],
        "boolean": [True, False],
        "object": [{}],
        "list of [ids](#ids)": [["a", 5], []],
        "[id](#ids)": ["a", 5, "x" * 128],
        "[instant](#times)": ["2024-03-05T12:00:00+01:00", "1970-01-01T00:00:00Z"],
        "[payload](#payload)": [{"a.b": "x", "c": 1, "d": True, "e": None}],
        "[detail](#detail)": [{}, {"summary": "x"}],
    }
    rule = row["rule"]
    if choices := re.match(r"one of (.*)", rule):
        accepted = re.findall(r"`(\w+)`", choices[1])
        assert all(map(takes, accepted))
        assert not takes("another")
        assert set(LIMITS[type][field][0]) == set(accepted)
    elif row["type"] == "string" and rule.startswith("`"):
        assert re.fullmatch(rule.strip("`"), "a_1")
        assert takes("a_1")
        assert not takes("A-1")
    elif field != "color":
        assert all(takes(value) for value in samples.pop(row["type"]))
        if row["type"] != "string or null":
            assert not any(takes(value) for value in (None, object()))
    if bounds := re.search(r"(\d+) to (10[⁰-⁹¹²³]+|\d+)", rule):
        least, most = (number(text) for text in bounds.groups())
        wrapped = (lambda value: {"sms_sent": value}) if row["type"] == "object" else lambda v: v
        assert takes(wrapped(least))
        assert takes(wrapped(most))
        assert not takes(wrapped(least - 1))
        assert not takes(wrapped(most + 1))
    if length := re.search(r"at most (\d+) (characters|entries)", rule):
        unit = ["a"] if length[2] == "entries" else "a"
        if field != "color":
            assert takes(unit * int(length[1]))
        assert not takes(unit * (int(length[1]) + 1))
    if needed := re.search(r"needs `(\w+)`", rule):
        assert not is_taken(BUILDERS[type]("x", **{field: "a", needed[1]: OMIT}))


def number(text: str) -> int:
    """`1,000`, or a power of ten such as 10⁹."""
    plain = text.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789"))
    return int(plain.replace(",", "")) if plain == text else 10 ** int(plain[2:])


@pytest.mark.parametrize("type", DOCUMENTS)
def test_each_type_has_an_example(type):
    section = PAGE.read_text("utf-8").partition(f"\n## {type}\n")[2].partition("\n## ")[0]
    [example] = re.findall(r"^```json\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    assert parse_record(json.loads(example, parse_float=Decimal)).type == type


def test_the_example_of_a_deletion_deletes():
    [example] = [
        json.loads(text)
        for text in re.findall(
            r"^```json\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
        )
        if "deleted" in text
    ]
    change = parse_record(example)
    assert change.record is None
    assert set(example) == {field.alias or name for name, field in Deletion.model_fields.items()}


def test_every_link_leads_somewhere():
    text = PAGE.read_text("utf-8")
    headings = {
        heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.*)", text, re.MULTILINE)
    }
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert target[1:] in headings if target[0] == "#" else (PAGE.parent / target).exists()
