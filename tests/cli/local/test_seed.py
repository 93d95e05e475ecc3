"""The seed of the sample events: what the file holds, and where it may be loaded."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from rollcall import bootstrap
from rollcall.api.ingest import parse_documents
from rollcall.domain.organisations import is_well_formed, tenant
from rollcall.domain.records import RECORD_TYPES
from rollcall_cli.errors import CommandError
from rollcall_cli.local.seed import SEED, Seed, read_seed, require_local, write
from tests.support.answering import deployed

ROOT = Path(__file__).parents[3]
WHOLE = read_seed(ROOT / SEED)
SAMPLES = {sample.handle: sample for sample in WHOLE.organisations}
NOW_MS = 1_795_262_400_000  # 2026-11-21T12:00:00Z


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
    examples = json.loads((ROOT / "docs/api/examples/ingest_records.json").read_text("utf-8"))
    example = examples["accepted"]
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


TOKEN = {"name": "read", "token": SAMPLES["acme"].tokens[0].token, "scopes": ["read"]}


def with_token(**changed):
    """The text of a seed whose only token is this one."""
    organisation = {
        "id": "org_1",
        "handle": "acme",
        "name": "Acme",
        "created_at": "2026-11-01T00:00:00Z",
        "tokens": [TOKEN | changed],
        "records": [],
    }
    return json.dumps({"organisations": [organisation]})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (with_token(token=TOKEN["token"][:-1] + "0"), "0.tokens.0.token: Value error, must be rc_"),
        (with_token(scopes=["write"]), "organisations.0.tokens.0.scopes.0: Input should be"),
        (
            with_token(expires_at="2026-11-15"),
            "tokens.0.expires_at: Value error, must be an RFC 3339",
        ),
        (with_token(expires_at=5), "tokens.0.expires_at: Value error, must be an RFC 3339"),
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
        write(WHOLE)


# ------------------------------------------------------------------ loading it


@pytest.fixture
def deployment():
    """Empty tables; the endpoint of its environment is on this machine."""
    with deployed(NOW_MS) as made:
        yield made


def changed(**values):
    """The seed with other values of acme."""
    acme = SAMPLES["acme"].model_copy(update=values)
    return Seed(organisations=(acme,))


def test_loading_again_changes_nothing(deployment):
    write(WHOLE)
    before = deployment.store.snapshot()
    assert before
    deployment.now_ms += 3_600_000
    write(WHOLE)
    assert deployment.store.snapshot() == before


def test_loading_again_restores_a_record_that_was_deleted(deployment):
    def is_there() -> bool:
        with tenant("org_sample_acme"):
            found = bootstrap.facts().read("org_sample_acme", 1, [("lead", "lead-4")])
        return found["lead", "lead-4"].record is not None

    write(WHOLE)
    write(changed(records=({"type": "lead", "id": "lead-4", "deleted": True},)))
    assert not is_there()
    write(WHOLE)
    assert is_there()


def test_a_handle_that_is_taken_is_refused(deployment):
    write(WHOLE)
    with pytest.raises(CommandError, match="another organisation has the handle 'acme'"):
        write(changed(id="org_another"))


def test_a_record_that_is_refused_is_named(deployment):
    record = {"type": "call", "id": "call-1", "started_at": "2026-11-18T09:12:31Z"}
    with pytest.raises(CommandError, match="seed's call 'call-1' of acme: status is required"):
        write(changed(records=(record,)))
    with pytest.raises(CommandError, match="status is required; cost must be at least 0"):
        write(changed(records=({**record, "cost": -1}, record)))
    write(WHOLE)
