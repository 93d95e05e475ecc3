"""Errors of the AWS SDK in words that say what to do."""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)


def explained(error: BotoCoreError | ClientError) -> str:
    """The error in one sentence."""
    if isinstance(error, ClientError):
        details = error.response["Error"]
        return f"refused: {details['Code']}: {details.get('Message', '')}"
    if isinstance(error, NoRegionError):
        return "no AWS region is set; give --region or set AWS_REGION"
    if isinstance(error, ProfileNotFound):
        return f"{error}; see the profiles in your AWS configuration"
    if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
        return "no AWS credentials were found; give --profile, or set the variables of the AWS SDK"
    return str(error)
