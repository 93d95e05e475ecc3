"""The seed of the sample events: what the file holds, and where it may be loaded."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from rollcall.api.ingest import parse_documents
from rollcall.domain.organisations import SCOPES, is_well_formed
from rollcall.domain.records import RECORD_TYPES
from rollcall_cli.errors import CommandError
from rollcall_cli.local.seed import SEED, read_seed, require_local, write

ROOT = Path(__file__).parents[3]
SAMPLES = {sample.handle: sample for sample in read_seed(ROOT / SEED).organisations}


# ------------------------------------------------------------------ the file


@pytest.mark.parametrize("handle", SAMPLES)
def test_every_record_is_accepted_as_it_is(handle):
    changes, refusals = parse_documents(SAMPLES[handle].records)
    assert refusals == []
    assert len({(change.type, change.id) for _, change in changes}) == len(changes)


@pytest.mark.parametrize("handle", SAMPLES)
def test_an_organisation_has_every_type_of_record(handle):
    assert {record["type"] for record in SAMPLES[handle].records} == set(RECORD_TYPES)


def test_acme_has_the_records_of_the_documented_examples():
    example = json.loads(
        (ROOT / "docs/api/examples/ingest_records/accepted.json").read_text("utf-8")
    )
    sent = json.dumps(example["request"]["body"]["records"])
    assert json.dumps([*map(written, SAMPLES["acme"].records)]) == sent


def written(record):
    """A record with its numbers as JSON has them."""
    return json.loads(json.dumps(record, default=float))


def test_tokens_are_well_formed_and_say_that_they_are_samples():
    tokens = [token for sample in SAMPLES.values() for token in sample.tokens]
    assert len({token.token for token in tokens}) == len(tokens)
    for token in tokens:
        assert is_well_formed(token.token)
        assert token.token.startswith("rc_Sample")
        assert set(token.scopes) <= set(SCOPES)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"organisations": [{"id": "a"}]}', "organisations.0.handle: Field required"),
        ('{"organisations": [], "more": 1}', "more: Extra inputs are not permitted"),
        ("{", "JSON"),
        ('{"organisations": [], "organisations": []}', "organisations"),
    ],
)
def test_a_malformed_file_is_refused_with_the_place(tmp_path, content, message):
    path = tmp_path / "seed.json"
    path.write_text(content)
    with pytest.raises(CommandError, match=re.escape(message)):
        read_seed(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        read_seed(tmp_path / "seed.json")


# ------------------------------------------------------------------ where it may be loaded


@pytest.mark.parametrize(
    "endpoint",
    ["http://127.0.0.1:8000", "http://127.8.8.8:8000", "http://[::1]:8000", "http://localhost:1"],
)
def test_an_engine_on_this_machine_is_local(endpoint):
    require_local(endpoint)


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "127.0.0.1:8000",
        "https://dynamodb.eu-central-1.amazonaws.com",
        "http://localhost.example.com:8000",
        "http://localhost@example.com",
        "http://192.0.2.1:8000",
        "http://0.0.0.0:8000",
        "http://[2001:db8::1]:8000",
    ],
)
def test_anything_else_gets_no_sample_token(endpoint, monkeypatch):
    with pytest.raises(CommandError, match="an engine on this machine"):
        require_local(endpoint)
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
    with pytest.raises(CommandError, match="an engine on this machine"):
        write(read_seed(ROOT / SEED))
