"""The outputs of a deployed CloudFormation stack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from rollcall_cli.aws_errors import explained
from rollcall_cli.errors import CommandError

# The template's outputs.
RECORDS_TABLE = "RecordsTableName"
ANALYTICS_TABLE = "AnalyticsTableName"
FAILURE_BUCKET = "FailureBucketName"
API_URL = "ApiUrl"
HOOK_KEY = "HookKeyArn"
# The parameter that says whether details are stored.
KEEP_DETAIL = "KeepDetail"

# A stack without a deployment under way, whose last good deployment is in place.
_COMPLETE = frozenset(
    {
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
    }
)


@dataclass(frozen=True, slots=True)
class StackOutputs:
    """The outputs that commands use, and the parameter that they share with functions."""

    records_table: str
    analytics_table: str
    failure_bucket: str
    api_url: str
    hook_key: str = ""  # a release without hooks has none
    keep_detail: str = "true"


def cloudformation_client() -> Any:
    """A CloudFormation client. Raises BotoCoreError without a region or with an unknown profile."""
    return botocore.session.get_session().create_client(
        "cloudformation",
        config=Config(
            connect_timeout=3,
            read_timeout=10,
            retries={"mode": "standard", "total_max_attempts": 3},
        ),
    )


def stack_outputs(client: Any, name: str) -> StackOutputs:
    """The outputs of a stack that is complete.

    Raises CommandError when the stack does not exist, is not complete or lacks an output, and when
    CloudFormation cannot be reached or refuses the request.
    """
    try:
        [stack] = client.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        details = error.response["Error"]
        if details["Code"] == "ValidationError" and "does not exist" in details.get("Message", ""):
            raise CommandError(
                f"there is no stack {name!r} in {client.meta.region_name}"
            ) from error
        raise CommandError(f"stack {name!r} cannot be read: {explained(error)}") from error
    except BotoCoreError as error:
        raise CommandError(f"stack {name!r} cannot be read: {explained(error)}") from error
    status = stack["StackStatus"]
    if status not in _COMPLETE:
        raise CommandError(
            f"stack {name!r} in {client.meta.region_name} is {status}: its outputs may name"
            " resources that do not exist; try again when it is complete"
        )
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}

    parameters = {
        each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", [])
    }

    def output(key: str) -> str:
        if key not in outputs:
            raise CommandError(
                f"stack {name!r} has no output {key}: it is not a Rollcall stack, or its release is"
                " too old"
            )
        return str(outputs[key])

    return StackOutputs(
        records_table=output(RECORDS_TABLE),
        analytics_table=output(ANALYTICS_TABLE),
        failure_bucket=output(FAILURE_BUCKET),
        api_url=output(API_URL),
        hook_key=outputs.get(HOOK_KEY, ""),
        keep_detail=parameters.get(KEEP_DETAIL, "true"),
    )
