"""The one logger: JSON lines, never a token, never a payload value."""

from __future__ import annotations

from aws_lambda_powertools import Logger

from rollcall.settings import settings

logger = Logger(
    service="rollcall", level="WARNING" if settings.log_level == "WARN" else settings.log_level
)
