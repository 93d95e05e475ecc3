"""A person and an organisation leave a running stack: through the API, and through the command line."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from typing import Any

import pytest

from tests.support.builders import OMIT, call, full_call, lead
from tests.support.erasing import stored_bytes
from tests.support.stack import ROLLCALL, UNPOD, Organisation, Stack, StackError

MARK = "MARK"
LEAD = 4711


def items(stack: Stack) -> list[dict[str, Any]]:
    """Everything that is stored, in both tables."""
    found: list[dict[str, Any]] = []
    for name in ("records_table", "analytics_table"):
        pages = stack.client.get_paginator("scan").paginate(
            TableName=stack.ready[name], ConsistentRead=True
        )
        found += [item for page in pages for item in page["Items"]]
    return found


def of_theirs(mark: str) -> list[dict[str, Any]]:
    """A lead and calls of it, with values that no other record has; one of them is changed later."""
    values = {
        name: f"{mark}-{name}"
        for name in (
            "outcome provider campaign_id space_token template_id merchant_id reseller_id"
        ).split()
    }
    values |= {"lead_id": LEAD, "updated_at": OMIT, "payload": {f"{mark}.key": f"{mark} value"}}
    return [
        lead(LEAD, template_id=f"{mark}-t", payload={"name": f"{mark} name"}),
        full_call("theirs-1", labels=[f"{mark}-label", "shared"], **values),
        full_call("theirs-2", **values | {"started_at": "2024-03-09T01:00:00Z"}),
        full_call("theirs-2", **values | {"started_at": "2024-03-09T01:00:00Z", "outcome": OMIT}),
    ]


def of_others() -> list[dict[str, Any]]:
    return [full_call(f"other-{n}", labels=["shared"], updated_at=OMIT) for n in range(3)]


def refused(stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROLLCALL, *arguments],
        env=stack.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def assert_only_others_are_left(org: Organisation, mark: str) -> None:
    everything = stored_bytes(items(org.stack))
    assert mark.encode() not in everything
    assert b"l=shared" in everything
    figures = org.unpod()
    assert figures is not None
    assert figures["total_calls"] == 3


def test_a_deletion_by_request_leaves_nothing(org: Organisation) -> None:
    mark = f"{MARK}-{org.handle}-api"
    assert org.post([*of_theirs(mark), *of_others()]).status == 200
    org.stack.drain()
    assert mark.encode() in stored_bytes(items(org.stack))
    deletions = [
        {"type": type_, "id": id_, "deleted": True}
        for type_, id_ in (("lead", LEAD), ("call", "theirs-1"), ("call", "theirs-2"))
    ]
    assert org.post(deletions).status == 200
    org.stack.drain()
    assert_only_others_are_left(org, mark)


@pytest.mark.slow
def test_erase(org: Organisation) -> None:
    mark = f"{MARK}-{org.handle}-erase"
    assert org.post([*of_theirs(mark), *of_others()]).status == 200
    org.stack.drain()
    # Some of theirs the updater may not have seen when the erasure begins.
    assert org.post([call("theirs-3", lead_id=str(LEAD), outcome=f"{mark}-late")]).status == 200
    erasing = ("erase", "--org", org.handle, "--lead", str(LEAD))
    preview = org.stack.cli(*erasing, "--dry-run", "--json")
    assert (preview["dry_run"], preview["facts"]) == (True, {"lead": 1, "call": 3})
    undecided = refused(org.stack, *erasing)
    assert (undecided.returncode, undecided.stderr.count("\n")) == (2, 1)
    assert "pass --yes" in undecided.stderr
    assert org.stack.cli(*erasing, "--dry-run").splitlines()[-1] == "dry run: nothing was written"
    receipt = org.stack.cli(*erasing, "--yes", "--json")
    assert receipt["organisation"]["handle"] == org.handle
    assert receipt["lead"] == str(LEAD)
    assert receipt["facts"] == {"lead": 1, "call": 3}
    assert receipt["rows"] == {"0": 4}
    assert receipt["verified"] is True
    assert receipt["remains"][0]["count"] == 4
    assert {remains["until"] is None for remains in receipt["remains"]} == {True, False}
    org.stack.drain()
    assert_only_others_are_left(org, mark)
    assert org.stack.cli(*erasing, "--dry-run").startswith("nothing to erase of lead")
    again = org.stack.cli(*erasing, "--yes")
    assert "it had been erased before" in again
    no_lead = org.stack.cli("erase", "--org", org.handle, "--lead", "unknown", "--yes")
    assert no_lead.startswith(f'lead "unknown" of {org.handle}')
    assert "is unknown: no fact and no row names it" in no_lead
    unknown = refused(org.stack, "erase", "--org", "nowhere", "--lead", "1", "--yes")
    assert (unknown.returncode, unknown.stderr.count("\n")) == (2, 1)
    assert "nowhere" in unknown.stderr


@pytest.mark.slow
def test_delete_an_organisation(org: Organisation) -> None:
    stack = org.stack
    other = stack.new_organisation()
    for each in (org, other):
        assert each.post(of_others()).status == 200
    stack.drain()
    # The gateway remembers a token that it has seen for a while; this one it has not.
    unseen = org.new_token("read")["token"]
    [listed] = [o for o in stack.cli("org", "list", "--json") if o["handle"] == org.handle]
    undecided = refused(stack, "org", "delete", org.handle)
    assert (undecided.returncode, "--yes" in undecided.stderr) == (2, True)
    assert org.unpod() is not None

    deleting = ("org", "delete", org.handle, "--yes", "--wait-seconds", "0", "--json")
    receipt = stack.cli(*deleting)
    assert receipt["organisation"] == {"handle": org.handle, "id": listed["id"]}
    assert receipt["removed"]["facts"] == 3
    assert receipt["removed"]["tokens"] == 2
    stack.drain()
    left = [item for item in items(stack) if listed["id"] in repr(item)]
    assert [sorted(item) for item in left] == [["PK", "SK", "deleting", "deleting_since_ms", "id"]]
    assert org.get(UNPOD, unseen).status == 401
    with pytest.raises(StackError, match="no organisation has the handle"):
        stack.cli(*deleting)
    assert stack.cli(
        "org", "delete", "--org-id", listed["id"], "--yes", "--wait-seconds", "0", "--json"
    )["removed"]["facts"] == 0  # fmt: skip
    handles = [organisation["handle"] for organisation in stack.cli("org", "list", "--json")]
    assert org.handle not in handles
    assert other.handle in handles
    figures = other.unpod()
    assert figures is not None
    assert figures["total_calls"] == 3

    again = stack.new_organisation(org.handle)
    figures = again.unpod()
    assert figures is not None
    assert figures["total_calls"] == 0


def typed_on_a_terminal(stack: Stack, text: str, *arguments: str) -> tuple[int, str, str]:
    """The exit status, what was printed and what was asked of a command at a terminal."""
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [ROLLCALL, *arguments],
            env=stack.environment(),
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        os.write(ours, f"{text}\n".encode())
        said, asked = process.communicate(timeout=120)
    finally:
        os.close(ours)
        os.close(theirs)
    return process.returncode, said, asked


@pytest.mark.slow
@pytest.mark.parametrize("is_right", [True, False])
def test_on_a_terminal_the_handle_is_to_be_typed(org: Organisation, is_right: bool) -> None:
    text = org.handle if is_right else "another"
    deleting = ("org", "delete", org.handle, "--wait-seconds", "0", "--json")
    status, said, asked = typed_on_a_terminal(org.stack, text, *deleting)
    assert f"Type {org.handle}" in asked
    if is_right:
        assert json.loads(said)["organisation"]["handle"] == org.handle
    else:
        assert (status, said.strip()) == (2, "")
        assert org.unpod() is not None


@pytest.mark.slow
@pytest.mark.parametrize("is_right", [True, False])
def test_on_a_terminal_the_lead_is_to_be_typed(org: Organisation, is_right: bool) -> None:
    assert org.post([lead("person-1")]).status == 200
    text = "person-1" if is_right else "person-2"
    erasing = ("erase", "--org", org.handle, "--lead", "person-1")
    status, said, asked = typed_on_a_terminal(org.stack, text, *erasing, "--json")
    assert "Type person-1 to confirm" in asked
    left = org.stack.cli(*erasing, "--dry-run", "--json")["facts"]["lead"]
    if is_right:
        assert (json.loads(said)["facts"]["lead"], left) == (1, 0)
    else:
        assert (status, said.strip(), left) == (2, "", 1)
