"""The outputs of a stack, as CloudFormation's answers say them (stubbed)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError
from botocore.stub import Stubber

from rollcall_cli.errors import CommandError
from rollcall_cli.stack_outputs import StackOutputs, stack_outputs

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
OUTPUTS = {
    "RecordsTableName": "prod-RecordsTable-1A",
    "AnalyticsTableName": "prod-AnalyticsTable-2B",
    "FailureBucketName": "prod-failurebucket-3c",
    "ApiUrl": "https://abc.execute-api.eu-central-1.amazonaws.com/live",
}


@pytest.fixture
def client() -> Any:
    return botocore.session.get_session().create_client(
        "cloudformation",
        region_name="eu-central-1",
        aws_access_key_id="stubbed",
        aws_secret_access_key="stubbed",
    )


@pytest.fixture
def stub(client: Any) -> Iterator[Stubber]:
    with Stubber(client) as stub:
        yield stub
        stub.assert_no_pending_responses()


def described(status: str = "CREATE_COMPLETE", **outputs: str) -> dict[str, Any]:
    stack = {
        "StackName": "prod",
        "CreationTime": datetime.now(UTC),
        "StackStatus": status,
        "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
    }
    return {"Stacks": [stack]}


def refusal(client: Any, stub: Stubber, code: str, message: str) -> str:
    stub.add_client_error("describe_stacks", code, message, expected_params={"StackName": "prod"})
    with pytest.raises(CommandError) as refused:
        stack_outputs(client, "prod")
    return str(refused.value)


def test_the_template_has_these_outputs() -> None:
    outputs = TEMPLATE.read_text(encoding="utf-8").split("\nOutputs:\n")[1]
    assert set(OUTPUTS) <= set(re.findall(r"^  (\w+):$", outputs, re.MULTILINE))


@pytest.mark.parametrize(
    "status",
    ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"],
)
def test_outputs_of_a_complete_stack(client: Any, stub: Stubber, status: str) -> None:
    stub.add_response("describe_stacks", described(status, **OUTPUTS), {"StackName": "prod"})
    assert stack_outputs(client, "prod") == StackOutputs(*OUTPUTS.values())


@pytest.mark.parametrize("keep", ["true", "false"])
def test_commands_keep_details_where_the_functions_do(
    client: Any, stub: Stubber, keep: str
) -> None:
    answer = described(**OUTPUTS)
    answer["Stacks"][0]["Parameters"] = [{"ParameterKey": "KeepDetail", "ParameterValue": keep}]
    stub.add_response("describe_stacks", answer)
    assert stack_outputs(client, "prod").keep_detail == keep


@pytest.mark.parametrize(
    "status",
    [
        "CREATE_IN_PROGRESS",
        "CREATE_FAILED",
        "ROLLBACK_COMPLETE",
        "ROLLBACK_FAILED",
        "UPDATE_IN_PROGRESS",
        "UPDATE_ROLLBACK_FAILED",
        "DELETE_COMPLETE",
        "REVIEW_IN_PROGRESS",
    ],
)
def test_a_stack_that_is_not_complete_is_refused(client: Any, stub: Stubber, status: str) -> None:
    stub.add_response("describe_stacks", described(status, **OUTPUTS))
    with pytest.raises(CommandError, match=rf"^stack 'prod' in eu-central-1 is {status}: "):
        stack_outputs(client, "prod")


@pytest.mark.parametrize("missing", OUTPUTS)
def test_a_missing_output_is_named(client: Any, stub: Stubber, missing: str) -> None:
    others = {key: value for key, value in OUTPUTS.items() if key != missing}
    stub.add_response("describe_stacks", described(**others))
    with pytest.raises(CommandError, match=f"^stack 'prod' has no output {missing}: "):
        stack_outputs(client, "prod")


def test_no_such_stack(client: Any, stub: Stubber) -> None:
    message = "Stack with id prod does not exist"
    assert refusal(client, stub, "ValidationError", message) == (
        "there is no stack 'prod' in eu-central-1"
    )


def test_another_refusal_says_what_it_says(client: Any, stub: Stubber) -> None:
    assert refusal(client, stub, "AccessDenied", "not authorized") == (
        "stack 'prod' cannot be read: refused: AccessDenied: not authorized"
    )


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NoCredentialsError(), "no AWS credentials were found; pass --profile"),
        (EndpointConnectionError(endpoint_url="https://x"), "Could not connect"),
    ],
)
def test_cloudformation_out_of_reach(client: Any, error: Exception, words: str) -> None:
    def fail(**_: Any) -> None:
        raise error

    client.meta.events.register("before-call.cloudformation", fail)
    client.meta.events.register("provide-client-params.cloudformation", fail)
    with pytest.raises(CommandError, match=f"^stack 'prod' cannot be read: {words}"):
        stack_outputs(client, "prod")
