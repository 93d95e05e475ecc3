"""The evaluation of an authorizer's policy."""

from __future__ import annotations

from typing import Any

import pytest

from rollcall_cli.local.policy import MalformedPolicy, allows

ARN = "arn:aws:execute-api:us-east-1:123456789012:local/live/POST/v1/records"


def statement(
    effect: str = "Allow", resource: Any = "*", action: Any = "execute-api:Invoke"
) -> Any:
    return {"Effect": effect, "Action": action, "Resource": resource}


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([statement()], True),
        (statement(), True),
        ([statement(resource=["arn:other", "arn:aws:execute-api:*/live/POST/*"])], True),
        ([statement(resource="arn:aws:execute-api:*/live/GET/*")], False),
        ([statement(resource=ARN.replace("records", "record?"))], True),
        ([statement(resource=ARN + "?")], False),
        ([statement(resource=ARN.replace("/", "."))], False),
        ([statement(), statement("Deny", ARN)], False),
        ([statement(), statement("Deny", "arn:other")], True),
        ([statement("Deny")], False),
        ([statement(action="*")], True),
        ([statement(action="execute-api:*")], True),
        ([statement(action=["s3:GetObject", "EXECUTE-API:Invoke"])], True),
        ([statement(action="s3:GetObject")], False),
    ],
)
def test_evaluation(statements, expected):
    assert allows({"Version": "2012-10-17", "Statement": statements}, ARN) is expected


@pytest.mark.parametrize(
    "policy",
    [
        None,
        [],
        {},
        {"Statement": []},
        {"Statement": "x"},
        {"Statement": ["x"]},
        {"Statement": [statement("allow")]},
        {"Statement": [statement(resource=[])]},
        {"Statement": [statement(resource=5)]},
        {"Statement": [{"Effect": "Allow", "Action": "*"}]},
        {"Statement": [statement() | {"Condition": {"Bool": {}}}]},
        {"Statement": [statement(), {"Effect": "Allow", "NotAction": "*", "Resource": "*"}]},
    ],
)
def test_what_is_not_understood_allows_nothing(policy):
    with pytest.raises(MalformedPolicy):
        allows(policy, ARN)
