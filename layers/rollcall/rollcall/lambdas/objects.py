"""Reads the events by which EventBridge announces objects of S3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def created_object(event: Mapping[str, Any]) -> str | None:
    """The key of the object that an event announces; None for an event of anything else.

    The event's format is that of S3's notifications through EventBridge, in which keys are not encoded.
    """
    if event.get("source") != "aws.s3" or event.get("detail-type") != "Object Created":
        return None
    return str(event["detail"]["object"]["key"])
