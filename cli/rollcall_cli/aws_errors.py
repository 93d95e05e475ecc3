"""Explain errors of the AWS SDK and of the tables."""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
)

from rollcall.domain.errors import Unavailable


def explained(error: BotoCoreError | ClientError) -> str:
    """The error in one sentence."""
    if isinstance(error, ClientError):
        details = error.response["Error"]
        return f"refused: {details['Code']}: {details.get('Message', '')}"
    if isinstance(error, NoRegionError):
        return "no AWS region is set; pass --region or set AWS_REGION"
    if isinstance(error, ProfileNotFound):
        return f"{error}; see the profiles in your AWS configuration"
    if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
        return "no AWS credentials were found; pass --profile, or set the variables of the AWS SDK"
    return str(error)


def unavailable(error: Unavailable) -> str:
    """Why the tables are unavailable, by the first error in the chain of causes."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    if isinstance(cause, ReadTimeoutError):
        return f"the tables did not answer in time: {error}"
    if isinstance(cause, ClientError):
        return f"the tables are overloaded or failing: {error}"
    if isinstance(cause, BotoCoreError):
        return f"the tables cannot be reached: {error}"
    return f"the tables took too long: {error}"
