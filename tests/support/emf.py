"""Reads the lines that functions print: metrics in CloudWatch's embedded metric format, and logs.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rollcall.telemetry import logger

UNITS = {"Count", "Seconds"}


@dataclass(frozen=True)
class Metrics:
    """One line of metrics, as CloudWatch would extract it."""

    namespace: str
    dimensions: dict[str, str]
    values: dict[str, float]
    units: dict[str, str]
    properties: dict[str, Any]


def metrics_in(output: str) -> list[Metrics]:
    """The lines of metrics in a function's output. Fails on one that CloudWatch would ignore."""
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return [_metrics(line) for line in lines if "_aws" in line]


def _metrics(line: dict[str, Any]) -> Metrics:
    metadata = line.pop("_aws")
    assert metadata.keys() == {"Timestamp", "CloudWatchMetrics"}
    assert isinstance(metadata["Timestamp"], int)
    (directive,) = metadata["CloudWatchMetrics"]
    assert directive.keys() == {"Namespace", "Dimensions", "Metrics"}
    (names,) = directive["Dimensions"]
    values: dict[str, float] = {}
    units = {}
    for metric in directive["Metrics"]:
        assert metric.keys() == {"Name", "Unit"}
        assert metric["Unit"] in UNITS
        (values[metric["Name"]],) = line.pop(metric["Name"])
        units[metric["Name"]] = metric["Unit"]
    dimensions = {name: line.pop(name) for name in names}
    return Metrics(directive["Namespace"], dimensions, values, units, line)


@contextmanager
def logged() -> Iterator[list[dict[str, Any]]]:
    """The lines that are logged inside, parsed once it ends."""
    lines: list[dict[str, Any]] = []
    out = io.StringIO()
    handler = logger.registered_handler
    stream, handler.stream = handler.stream, out  # type: ignore[attr-defined]
    try:
        yield lines
    finally:
        handler.stream = stream  # type: ignore[attr-defined]
        lines += [json.loads(line) for line in out.getvalue().splitlines()]
