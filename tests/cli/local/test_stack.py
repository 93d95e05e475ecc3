"""The stack on both engines: tables from the template, requests, the stream, failures, drain."""

from __future__ import annotations

import json
import os
import socket
import tempfile
import threading
import urllib.request
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

from rollcall_cli.errors import CommandError, PortInUse
from rollcall_cli.local.stack import LocalStack
from rollcall_cli.local.tables import create_tables
from rollcall_cli.local.template import load_template

pytestmark = pytest.mark.engine


def request(
    stack: LocalStack, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, Any]:
    address = urlsplit(stack.api_url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=60)
    try:
        connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None
    finally:
        connection.close()


def put_fact(stack: LocalStack, name: str, data: bytes = b"\x00\xff") -> None:
    stack.client().put_item(
        TableName=stack.records_table,
        Item={"PK": {"S": "ORG#1#"}, "SK": {"S": f"FACT#{name}"}, "data": {"B": data}},
    )


def copies(stack: LocalStack) -> dict[str, dict[str, Any]]:
    answer = stack.client().query(
        TableName=stack.analytics_table,
        KeyConditionExpression="#pk = :pk",
        ExpressionAttributeNames={"#pk": "PK"},
        ExpressionAttributeValues={":pk": {"S": "COPY"}},
        ConsistentRead=True,
    )
    return {item["SK"]["S"]: item for item in answer["Items"]}


def test_tables_are_the_declared_ones(stack):
    client = stack.client()
    described = client.describe_table(TableName=stack.records_table)["Table"]
    assert described["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    assert [index["IndexName"] for index in described["GlobalSecondaryIndexes"]] == ["GSI1"]
    described = client.describe_table(TableName=stack.analytics_table)["Table"]
    assert not described.get("StreamSpecification", {}).get("StreamEnabled")


def test_tables_that_exist_are_reused(stack):
    put_fact(stack, "before")
    create_tables(stack.client(), stack.template)
    key = {"PK": {"S": "ORG#1#"}, "SK": {"S": "FACT#before"}}
    assert "Item" in stack.client().get_item(TableName=stack.records_table, Key=key)


def test_a_table_of_another_shape_is_refused(stack, tmp_path, shared_template_path):
    path = tmp_path / "template.yaml"
    path.write_text(shared_template_path.read_text().replace("IndexName: GSI1", "IndexName: OTHER"))
    with pytest.raises(CommandError, match="exists, but its keys"):
        create_tables(stack.client(), load_template(path))


def test_a_write_reaches_the_stream_function_before_drain_ends(stack):
    put_fact(stack, "one", b"\x00\x01\xff")
    assert request(stack, "POST", "/_local/drain") == (200, {"drained": True})
    assert copies(stack)["FACT#one"]["data"]["B"] == b"\x00\x01\xff"


def test_updates_and_deletions_reach_it_too(stack):
    key = {"PK": {"S": "ORG#1#"}, "SK": {"S": "FACT#short"}}
    put_fact(stack, "short")
    put_fact(stack, "short", b"\x02")
    assert stack.drain(60)
    assert copies(stack)["FACT#short"]["event"]["S"] == "MODIFY"
    stack.client().delete_item(TableName=stack.records_table, Key=key)
    assert stack.drain(60)
    assert copies(stack)["FACT#short"]["event"]["S"] == "REMOVE"


@pytest.mark.slow
def test_many_writes_from_many_threads_all_arrive(stack):
    def write(start: int) -> None:
        for number in range(start, start + 30):
            put_fact(stack, f"many-{number}")

    threads = [threading.Thread(target=write, args=(start,)) for start in range(0, 120, 30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stack.drain(120)
    assert {f"FACT#many-{number}" for number in range(120)} <= set(copies(stack))


def test_a_rolled_back_transaction_leaves_no_trace(stack):
    put_fact(stack, "kept", b"\x01")
    assert stack.drain(60)
    client, table = stack.client(), stack.records_table
    partition = {"S": "ORG#1#"}

    def put(name: str, **condition: str) -> dict[str, Any]:
        item = {"PK": partition, "SK": {"S": f"FACT#{name}"}, "data": {"B": b"\x09"}}
        return {"Put": {"TableName": table, "Item": item, **condition}}

    with pytest.raises(client.exceptions.TransactionCanceledException) as raised:
        client.transact_write_items(
            TransactItems=[
                put("kept"),
                put("rolled-back"),
                put("one-more", ConditionExpression="attribute_exists(PK)"),
            ]
        )
    reasons = [r["Code"] for r in raised.value.response["CancellationReasons"]]
    assert reasons == ["None", "None", "ConditionalCheckFailed"]
    put_fact(stack, "after")
    assert stack.drain(60)
    seen = copies(stack)
    assert "FACT#rolled-back" not in seen
    assert seen["FACT#kept"]["data"]["B"] == b"\x01"
    assert "FACT#after" in seen
    kept = client.get_item(TableName=table, Key={"PK": partition, "SK": {"S": "FACT#kept"}})
    assert kept["Item"]["data"]["B"] == b"\x01"


def test_a_client_of_another_region_finds_the_same_tables(stack):
    client = boto3.client(
        "dynamodb",
        endpoint_url=stack.dynamodb_url,
        region_name="eu-central-1",
        aws_access_key_id="someone",
        aws_secret_access_key="else",
    )
    assert client.describe_table(TableName=stack.records_table)["Table"]["TableStatus"] == "ACTIVE"


def test_drain_says_when_it_could_not(stack):
    stack.client().put_item(
        TableName=stack.records_table,
        Item={"PK": {"S": "ORG#2#"}, "SK": {"S": "FACT#poison"}},
    )
    status, body = request(stack, "POST", "/_local/drain?timeout=0")
    assert (status, body["drained"]) == (503, False)
    # Discarded after its two retries, and kept whole.
    assert request(stack, "POST", "/_local/drain?timeout=120") == (200, {"drained": True})
    paths = [path for path in stack.failures_dir.rglob("*") if path.is_file()]
    payloads = [json.loads(json.loads(path.read_text())["payload"]) for path in paths]
    keys = [record["dynamodb"]["Keys"]["SK"]["S"] for p in payloads for record in p["Records"]]
    assert keys == ["FACT#poison"]
    assert request(stack, "POST", "/_local/drain?timeout=x")[0] == 400


def test_health(stack):
    assert request(stack, "GET", "/_local/health") == (200, {"status": "ok"})
    assert request(stack, "GET", "/_local/drain")[0] == 404


def test_a_request_goes_through_authorizer_layer_and_environment(stack):
    status, seen = request(stack, "GET", "/echo/5", Authorization="Token good")
    assert status == 200
    assert seen["event"]["requestContext"]["authorizer"]["org_id"] == "1"
    assert (seen["greeting"], seen["layer"]) == ("hello", "shared")


def test_requests_are_answered_side_by_side(stack):
    body = json.dumps({"sleep": 0.4, "answer": {"statusCode": 200, "body": "{}"}}).encode()
    at_once = threading.Barrier(4)
    answers: list[int] = []

    def call() -> None:
        at_once.wait(30)
        answers.append(request(stack, "POST", "/answer", body)[0])

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 4


def test_a_second_stack_reuses_the_engine_and_replays(stack, shared_template_path, monkeypatch):
    put_fact(stack, "replayed")
    assert stack.drain(60)
    with LocalStack(
        engine=stack.dynamodb_url, port=0, dynamodb_port=0, template=shared_template_path
    ) as second:
        assert second.dynamodb_url == stack.dynamodb_url
        assert second.drain(120)
    assert "FACT#replayed" in copies(stack)
    assert stack.drain(60)


def test_a_port_that_is_taken_is_reported(shared_template_path, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=f"port {port} is in use.*--port"):
            LocalStack(engine="moto", port=port, template=shared_template_path).__enter__()
        with pytest.raises(PortInUse, match="--dynamodb-port"):
            LocalStack(
                engine="moto", port=0, dynamodb_port=port, template=shared_template_path
            ).__enter__()


def test_an_endpoint_that_does_not_answer_is_reported(shared_template_path, tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    with pytest.raises(CommandError, match="cannot create the tables"):
        LocalStack(engine=url, port=0, template=shared_template_path).__enter__()


@pytest.mark.slow
def test_a_stack_leaves_nothing_behind(shared_template_path, tmp_path, monkeypatch):
    # A folder of its own: in the system's, other stacks come and go meanwhile.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    environment = dict(os.environ)
    with pytest.raises(CommandError):
        LocalStack(engine="http://127.0.0.1:9", port=0, template=shared_template_path).__enter__()
    assert dict(os.environ) == environment
    assert list(tmp_path.iterdir()) == []


def test_health_is_on_loopback_only(stack):
    with urllib.request.urlopen(f"{stack.api_url}/_local/health") as answer:
        assert answer.status == 200
    assert stack.api_url.startswith("http://127.0.0.1:")


def test_failures_are_for_their_owner_alone(stack):
    assert stack.failures_dir.stat().st_mode & 0o777 == 0o700
