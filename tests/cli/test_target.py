"""`rollcall --stack-name`: the commands of an operator on a stack that moto's CloudFormation made."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from rollcall_cli.local.template import load_template
from tests.support.engines import TEMPLATE
from tests.support.stack import ROLLCALL

pytestmark = [pytest.mark.engine, pytest.mark.e2e]


STACK = "prod"
API_URL = "http://127.0.0.1:9/live"  # nothing listens there
REGION = "eu-west-1"

Result = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def outputs(endpoint: str) -> dict[str, str]:
    """The outputs of a stack with tables of the template's shape, named by CloudFormation."""
    template = load_template(TEMPLATE)

    def table(name: str) -> dict[str, Any]:
        properties = dict(template.table(name).create_arguments)
        del properties["TableName"]
        return {"Type": "AWS::DynamoDB::Table", "Properties": properties}

    cloudformation = client("cloudformation", endpoint)
    cloudformation.create_stack(
        StackName=STACK,
        TemplateBody=json.dumps(
            {
                "Resources": {
                    "RecordsTable": table("RecordsTable"),
                    "AnalyticsTable": table("AnalyticsTable"),
                    "FailureBucket": {"Type": "AWS::S3::Bucket"},
                },
                "Outputs": {
                    "RecordsTableName": {"Value": {"Ref": "RecordsTable"}},
                    "AnalyticsTableName": {"Value": {"Ref": "AnalyticsTable"}},
                    "FailureBucketName": {"Value": {"Ref": "FailureBucket"}},
                    "ApiUrl": {"Value": API_URL},
                },
            }
        ),
    )
    [stack] = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def client(service: str, endpoint: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


@pytest.fixture
def rollcall(endpoint: str, outputs: dict[str, str]) -> Callable[..., Result]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "ROLLCALL_"))
    }
    environment = kept | {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": REGION,  # alone, without AWS_DEFAULT_REGION
        "AWS_EC2_METADATA_DISABLED": "true",
    }

    def call(*arguments: str, **more: str) -> Result:
        return subprocess.run(
            [ROLLCALL, *arguments],
            env=environment | more,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return call


def test_commands_work_on_the_tables_of_the_stack(
    rollcall: Callable[..., Result], outputs: dict[str, str], endpoint: str
) -> None:
    assert outputs["RecordsTableName"] != "rollcall-records"
    made = rollcall("--stack-name", STACK, "org", "create", "acme", "--name", "Acme", "--json")
    assert (made.returncode, made.stderr) == (0, "")
    stored = client("dynamodb", endpoint).get_item(
        TableName=outputs["RecordsTableName"],
        Key={"PK": {"S": "HANDLE#acme"}, "SK": {"S": "HANDLE"}},
    )
    assert stored["Item"]["org_id"]["S"] == json.loads(made.stdout)["id"]
    failed = rollcall("--stack-name", STACK, "redrive", "list", "--json")
    assert (failed.returncode, failed.stdout) == (0, "[]\n")


def test_an_error_names_stack_tables_and_endpoint(
    rollcall: Callable[..., Result], outputs: dict[str, str], endpoint: str
) -> None:
    failed = rollcall("--stack-name", STACK, "token", "list", "unknown")
    where = f"tables {outputs['RecordsTableName']} and {outputs['AnalyticsTableName']}"
    assert (failed.returncode, failed.stdout, failed.stderr) == (
        2,
        "",
        f"rollcall: no organisation has the handle 'unknown' (stack {STACK} at {endpoint}, {where})\n",
    )
    without = rollcall("token", "list", "unknown")
    assert without.returncode == 2
    assert f"(tables rollcall-records and rollcall-analytics at {endpoint})" in without.stderr


def test_the_stack_wins_over_variables_and_says_so(rollcall: Callable[..., Result]) -> None:
    variables = {
        "ROLLCALL_RECORDS_TABLE": "other",
        "ROLLCALL_FAILURE_DESTINATION": "file:///nowhere",
    }
    listed = rollcall("--stack-name", STACK, "org", "list", **variables)
    assert (listed.returncode, listed.stderr) == (
        0,
        f"rollcall: --stack-name {STACK} overrides {' and '.join(variables)}\n",
    )


def test_status_checks_tables_bucket_and_api_of_the_stack(
    rollcall: Callable[..., Result],
) -> None:
    checked = rollcall("--stack-name", STACK, "status", "--json")
    found = json.loads(checked.stdout)
    assert (checked.returncode, checked.stderr) == (1, "")
    assert found["api"] == {"url": API_URL, "answers": False}
    assert (found["healthy"], found["failed_objects"]) == (False, 0)
    assert found["tables"].startswith(f"stack {STACK} at ")


def test_the_address_of_the_api_is_the_stacks(
    rollcall: Callable[..., Result], tmp_path: Any
) -> None:
    file = tmp_path / "records.jsonl"
    file.write_text('{"type": "space", "id": "a", "name": "A"}\n')
    sent = rollcall("--stack-name", STACK, "import", str(file), "--token", "rc_x")
    assert sent.returncode == 2
    assert API_URL in sent.stderr


def test_the_region_decides_where_the_stack_is_looked_for(rollcall: Callable[..., Result]) -> None:
    elsewhere = rollcall("--stack-name", STACK, "--region", "us-east-2", "org", "list")
    assert (elsewhere.returncode, elsewhere.stderr) == (
        2,
        f"rollcall: there is no stack '{STACK}' in us-east-2\n",
    )


@pytest.mark.slow
def test_the_profile_wins_over_keys_in_the_environment(
    rollcall: Callable[..., Result], tmp_path: Any
) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "of-the-shell", "AWS_SECRET_ACCESS_KEY": "of-the-shell"}
    config = tmp_path / "config"
    config.write_text(f"[profile there]\nregion = {REGION}\ncredential_process = false\n")
    files = {"AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none")}
    assert rollcall("--stack-name", STACK, "org", "list", **keys, **files).returncode == 0
    # An emulator on this machine needs no credentials of a profile that the shell names.
    named = {"AWS_PROFILE": "there"}
    assert rollcall("--stack-name", STACK, "org", "list", **named, **files).returncode == 0
    # The profile's credentials are used, and cannot be had.
    failed = rollcall("--stack-name", STACK, "--profile", "there", "org", "list", **keys, **files)
    assert failed.returncode == 2
    assert "credential" in failed.stderr.lower()
    unknown = rollcall("--profile", "absent", "org", "list", AWS_ENDPOINT_URL="")
    assert (unknown.returncode, unknown.stderr.count("\n")) == (2, 1)
    assert "(absent) could not be found" in unknown.stderr


def test_an_endpoint_of_other_tables_contradicts_the_stack(
    rollcall: Callable[..., Result], endpoint: str
) -> None:
    failed = rollcall(
        "--stack-name",
        STACK,
        "org",
        "list",
        AWS_ENDPOINT_URL="",
        AWS_ENDPOINT_URL_DYNAMODB=endpoint,
    )
    assert (failed.returncode, failed.stderr.count("\n")) == (2, 1)
    assert (
        f"AWS_ENDPOINT_URL_DYNAMODB is {endpoint}, which does not hold the tables" in failed.stderr
    )


@pytest.mark.parametrize("command", ["demo", "local", "openapi"])
def test_what_runs_here_takes_no_stack(rollcall: Callable[..., Result], command: str) -> None:
    failed = rollcall("--stack-name", STACK, command)
    assert (failed.returncode, failed.stdout) == (2, "")
    assert failed.stderr == (
        "rollcall: --stack-name, --region and --profile do not apply to"
        f" {command}, which uses no AWS\n"
    )
