"""What a benchmark found: tables for the terminal, and the same in README.md between markers."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import os
import platform
import re
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

README = Path(__file__).with_name("README.md")


@dataclass
class Table:
    """One table of figures; every cell is text already."""

    title: str
    columns: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)

    def add(self, *cells: object) -> None:
        self.rows.append([str(cell) for cell in cells])


@dataclass
class Report:
    """The tables of one benchmark, and what they say in a sentence each."""

    name: str
    tables: list[Table] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    engine: str = ""

    def table(self, title: str, *columns: str) -> Table:
        self.tables.append(Table(title, columns))
        return self.tables[-1]

    def finding(self, text: str) -> None:
        self.findings.append(text)


def median(values: Iterable[float]) -> float:
    return statistics.median(values)


def number(value: float, digits: int = 3) -> str:
    """Three significant digits, thousands with a comma."""
    if value == 0:
        return "0"
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"


def milliseconds(seconds: float | None) -> str:
    """In a table; a dash where nothing was measured."""
    return "–" if seconds is None else number(seconds * 1000)


def ratio(value: float | None, of: float | None) -> str:
    """The first ÷ the second, in a table; a dash where one was not measured."""
    return "–" if value is None or of is None else f"{number(value / of)} ×"


def machine(engine: str, is_quick: bool) -> str:
    packages = ("botocore", "numpy", "pydantic")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    date = dt.datetime.now(dt.UTC).date().isoformat()
    line = (
        f"{date}, {os.cpu_count()} cores ({platform.machine()}), "
        f"Python {platform.python_version()}, {versions}"
    )
    return line + (f", {engine}" if engine else "") + (", --quick" if is_quick else "")


def show(report: Report, console: Console) -> None:
    for table in report.tables:
        rich = RichTable(title=escape(table.title), title_justify="left", title_style="bold")
        for index, column in enumerate(table.columns):
            rich.add_column(escape(column), justify="left" if index == 0 else "right")
        for row in table.rows:
            rich.add_row(*(escape(cell) for cell in row))
        console.print(rich)
    for finding in report.findings:
        console.print(f"  • {finding}", markup=False, highlight=False)
    console.print()


def markdown(report: Report, made_on: str) -> str:
    lines = [f"_{made_on}_", ""]
    for table in report.tables:
        lines += [f"**{table.title}**", ""]
        lines.append("| " + " | ".join(table.columns) + " |")
        lines.append("|---" + "|---:" * (len(table.columns) - 1) + "|")
        lines += ["| " + " | ".join(row) + " |" for row in table.rows]
        lines.append("")
    lines += [f"- {finding}" for finding in report.findings]
    return "\n".join(lines).rstrip() + "\n"


def write(report: Report, made_on: str) -> None:
    """Put the figures into README.md, between the markers of their benchmark."""
    begin, end = f"<!-- figures: {report.name} -->", f"<!-- end: {report.name} -->"
    text = README.read_text("utf-8")
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(text):
        raise SystemExit(f"{README} has no markers for {report.name}")
    block = f"{begin}\n{markdown(report, made_on)}{end}"
    README.write_text(pattern.sub(lambda _: block, text), "utf-8")
