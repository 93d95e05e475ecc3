"""`python -m benchmarks [NAME ...] [--quick] [--write]`, or `make bench`."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import time
import warnings

from rich.console import Console

from benchmarks.report import machine, show, write

NAMES = (
    "throughput",
    "write_units",
    "updater_cpu",
    "wide_rows",
    "buckets",
    "warm_get",
    "page_bytes",
    "segments",
    "cold_start",
    "endpoints",
    "reports",
    "queries",
    "hostile",
    "reconcile",
    "hooks",
)


def main() -> None:
    os.environ["POWERTOOLS_METRICS_DISABLED"] = "true"  # they are lines on stdout
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], help="which ones (default: all)")
    parser.add_argument("--quick", action="store_true", help="small data, few rounds: does it run")
    parser.add_argument("--write", action="store_true", help="put the figures into README.md")
    arguments = parser.parse_args()
    logging.getLogger("rollcall").setLevel(logging.ERROR)
    warnings.simplefilter("ignore", ResourceWarning)
    console = Console(width=None)
    for name in arguments.names or NAMES:
        started = time.monotonic()
        console.rule(name)
        report = importlib.import_module(f"benchmarks.{name}").run(is_quick=arguments.quick)
        made_on = machine(report.engine, arguments.quick)
        show(report, console)
        console.print(f"  {made_on}; took {time.monotonic() - started:.0f} s\n", highlight=False)
        if arguments.write:
            write(report, made_on)


if __name__ == "__main__":
    main()
