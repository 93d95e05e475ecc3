"""Keeps secrets out of the logs of the AWS SDK, and the debug lines of Powertools out of ours.

Lambda's runtime client sets the level of the root logger to the function's log level. At DEBUG, the
SDK's libraries would log whole requests, with the ids and payloads in them, and the session token of
the function's role.
"""

from __future__ import annotations

import logging
from typing import Final

_LIBRARIES: Final = ("aws_lambda_powertools", "botocore", "urllib3")


def keep_requests_out_of_logs() -> None:
    """Set the SDK's libraries to INFO, or to the root logger's level if that is higher."""
    level = max(logging.INFO, logging.getLogger().getEffectiveLevel())
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(level)
