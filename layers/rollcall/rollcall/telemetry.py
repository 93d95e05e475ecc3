"""The one logger, and the one place that emits metrics: JSON lines, never a token or a payload value."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics

from rollcall.domain.errors import RollcallError
from rollcall.invocation import Metric, correlation_id, invocation
from rollcall.settings import settings

NAMESPACE: Final = "Rollcall"


class _Correlate(logging.Filter):
    """Adds the id of the invocation to each line; lines outside of one have none."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.correlation_id = correlation_id()
        return True


logger = Logger(
    service="rollcall", level="WARNING" if settings.log_level == "WARN" else settings.log_level
)
logger.addFilter(_Correlate())


def error_fields(error: Exception | None) -> dict[str, Any]:
    """The log fields of an error.

    An error that Rollcall does not raise itself may quote a record: only its type and place are
    logged.
    """
    if error is None or isinstance(error, RollcallError):
        return {"error": repr(error)}
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames]
    return {"error": type(error).__name__, "places": places}


@contextmanager
def observed(correlation_id: str) -> Iterator[None]:
    """An invocation whose log lines carry `correlation_id`, and whose metrics are emitted at its end.

    They are emitted when it fails, too. An invocation that counts nothing emits nothing.
    """
    with invocation(correlation_id) as metrics:
        try:
            yield
        finally:
            if metrics:
                emit(metrics)


def emit(metrics: Mapping[Metric, float]) -> None:
    """Print metrics as one line in CloudWatch's embedded metric format.

    The only dimension is the deployment, because CloudWatch bills each combination of a name and
    dimension values as a metric of its own. The id of the invocation is a property of the line.
    """
    # A set of its own: the local stack runs several functions in one process at the same time.
    line = EphemeralMetrics(namespace=NAMESPACE, service=settings.service)
    for metric, amount in metrics.items():
        line.add_metric(metric.value, metric.unit, amount)
    line.add_metadata("correlation_id", correlation_id())
    # Lambda drops lines below its LogLevel, and takes a line without a level as INFO.
    line.add_metadata("level", "INFO" if settings.log_level == "DEBUG" else settings.log_level)
    line.flush_metrics()
