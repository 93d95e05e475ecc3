"""`rollcall merge`: what it merges, what it prints, and its exit status."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest

from rollcall import bootstrap, merging
from rollcall.domain.epochs import Bucket
from rollcall.domain.errors import CorruptItem
from rollcall.maintenance.accounts import Administer
from rollcall_cli.main import run
from tests.support.drift import ANALYTICS
from tests.support.generate import mixed_records
from tests.support.reconciling import Stored, add, stored

pytestmark = pytest.mark.engine


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stored]:
    """Two organisations, whose pages are written."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "local")
    monkeypatch.setattr(bootstrap, "_read_timeout_seconds", 1.0)
    with stored(page_target_bytes=500) as made:
        small = dataclasses.replace(bootstrap.settings, segment_bytes=2_500)
        monkeypatch.setattr(bootstrap, "settings", small)
        merging.merge_pages.cache_clear()
        administer = Administer(bootstrap.directory(), bootstrap.now_ms)
        for seed, handle in enumerate(("acme", "zebra")):
            organisation = administer.create_organisation(handle, handle.title())
            add(made, organisation, mixed_records(seed, 90, versions=(1, 2), days=2))
        yield made
        merging.merge_pages.cache_clear()


def merge(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        run(["merge", *arguments])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return int(ended.value.code or 0), out, err


def segments(tables: Stored) -> dict[str, int]:
    """The number of segments by the id of their organisation."""
    found: dict[str, int] = {}
    for item in tables.all(ANALYTICS):
        if "#LEDGER#" in item["PK"]["S"] and "segment" in item:
            org_id = item["PK"]["S"].split("#")[1]
            found[org_id] = found.get(org_id, 0) + 1
    return found


def test_pages_of_every_organisation_are_merged_and_counted(tables: Stored, capsys: Any) -> None:
    status, out, err = merge(capsys, "--cold-after", "0s", "--json")
    assert (status, err) == (0, "")
    documents = [json.loads(line) for line in out.splitlines()]
    assert [each["organisation"] for each in documents] == ["acme", "zebra"]
    assert sum(each["segments"] for each in documents) == sum(segments(tables).values())
    assert all(each["pages"] > each["segments"] > 0 == each["changed"] for each in documents)
    status, out, _ = merge(capsys, "--cold-after", "0s")
    assert (status, out.splitlines()) == (
        0,
        [f"{name}: 0 pages merged into 0 segments" for name in ("acme", "zebra")],
    )


def test_only_the_chosen_organisation_is_merged(tables: Stored, capsys: Any) -> None:
    assert merge(capsys, "--org", "zebra", "--cold-after", "0s")[0] == 0
    assert len(segments(tables)) == 1
    status, out, err = merge(capsys, "--org", "unknown")
    assert (status, out) == (2, "")
    assert "no organisation has the handle 'unknown'" in err


def test_what_has_changed_lately_is_left_alone(tables: Stored, capsys: Any) -> None:
    assert merge(capsys)[0] == 0
    assert merge(capsys, "--cold-after", "1h")[0] == 0
    assert segments(tables) == {}
    tables.now_ms += 2 * 3_600_000
    assert merge(capsys, "--cold-after", "1h")[0] == 0
    assert len(segments(tables)) == 2


def test_a_duration_that_is_none_is_refused(tables: Stored, capsys: Any) -> None:
    status, _, err = merge(capsys, "--cold-after", "soon")
    assert status == 2
    assert "--cold-after must be a duration" in err
    assert segments(tables) == {}


def test_an_error_of_one_organisation_is_raised_after_the_others(
    tables: Stored, capsys: Any
) -> None:
    starts, failing = merging.PageMerging.starts, []

    def damaged(self: Any, bucket: Bucket) -> Any:
        if not failing:
            failing.append(bucket.epoch.org_id)
            raise CorruptItem("the call page at 5: damaged")
        return starts(self, bucket)

    with patch.object(merging.PageMerging, "starts", damaged):
        status, out, err = merge(capsys, "--cold-after", "0s")
    assert status == 2
    assert "the call page at 5: damaged" in err
    assert len(out.splitlines()) == 2
    assert len(segments(tables)) == 1
    assert failing[0] not in segments(tables)
