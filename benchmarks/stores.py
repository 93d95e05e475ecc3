"""The calls of a year in DynamoDB Local and in the databases beside it, and queries to all of them.

All hold the same calls, all are warm, and every answer is compared with those of the databases before
its time counts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import chain
from typing import Any, Protocol

from benchmarks import duckdb_file, loading, postgresql, wiring
from benchmarks.asking import Answer, Functions, Turns, in_turns
from benchmarks.compared import Compared
from benchmarks.duckdb_file import DuckDb
from benchmarks.postgresql import PostgreSql, copy_line
from benchmarks.report import Report, median
from benchmarks.year import Calls
from rollcall.domain.measures import Scope
from rollcall.settings import settings

# The largest first: answers take a quarter more CPU in a process that has held many other objects.
SIZES = (1_000_000, 100_000)
QUICK_SIZES = (2_000,)
DAYS = 365


@dataclass(frozen=True)
class Stores:
    """An engine, and the databases with the calls; None where there is none."""

    engine: wiring.Engine
    postgresql: PostgreSql | None
    duckdb: DuckDb | None


# -- the calls -------------------------------------------------------------------------------
def calls_of_each_size(report: Report, *, is_quick: bool) -> Iterator[Calls]:
    """The calls of each size; the report says if PostgreSQL is missing."""
    if not postgresql.is_installed():
        report.finding("PostgreSQL is not installed here, so nothing is compared with it.")
    for size in QUICK_SIZES if is_quick else SIZES:
        yield Calls(size, DAYS)


def analytics_texts(calls: Calls, scopes: Collection[Scope] | None, prefix: str = "") -> list[str]:
    """Pages, segments and rollups of calls, as texts of items. Needs `wiring.environment`.

    `prefix` names them in the cache, beside those of the same calls with other scopes.
    """
    facts = chain.from_iterable(calls.chunks())
    name = f"{prefix}{calls.name}"
    return loading.analytics_items(name, facts, settings.page_target_bytes, scopes)


@contextlib.contextmanager
def opened(calls: Calls, *, is_quick: bool, has_duckdb: bool = False) -> Iterator[Stores]:
    """An empty DynamoDB Local, the environment for it, and databases with the calls."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(postgresql.running()) if postgresql.is_installed() else None
        file = stack.enter_context(duckdb_file.opened()) if has_duckdb else None
        engine = stack.enter_context(wiring.engine(is_for_long=not is_quick))
        databases = [each for each in (server, file) if each is not None]
        for chunk in calls.chunks() if databases else ():
            lines = [copy_line(fact) for fact in chunk]
            for database in databases:
                database.copy(lines)
        if server is not None:
            server.index()
        yield Stores(engine, server, file)


# -- queries ---------------------------------------------------------------------------------
class Sql(Protocol):
    """A database with a table `calls`."""

    def ask(self, query: str) -> tuple[list[str], float]:
        """(the rows, cells joined by `|`; seconds)."""


def ask(
    compared: Compared, places: Sequence[Functions], turns: Turns, *databases: Sql | None
) -> tuple[list[Answer], list[float | None]]:
    """Ask in turns: (the answer in each place, the seconds of each database, None for None).

    Raises AssertionError if a database and the first place answer differently.
    """
    asked = [_Asked(database, compared.sql, turns.in_a_row) for database in databases]
    answers = in_turns(compared.query, places, turns, also=[each.ask for each in asked])
    for each in asked:
        if each.rows is not None:
            _check_equal(compared, answers[0].body, each.rows)
    return answers, [each.seconds for each in asked]


class _Asked:
    """A query to a database, or to none, with the rows and the times of its answers.

    The first `uncounted` times do not count.
    """

    def __init__(self, database: Sql | None, sql: str, uncounted: int) -> None:
        self._database = database
        self._sql = sql
        self._uncounted = uncounted
        self._seconds: list[float] = []
        self.rows: list[str] | None = None

    def ask(self) -> None:
        """Ask, and note the rows and the time."""
        if self._database is not None:
            self.rows, seconds = self._database.ask(self._sql)
            self._seconds.append(seconds)

    @property
    def seconds(self) -> float | None:
        """The median, or None where there is no database."""
        return median(self._seconds[self._uncounted :]) if self._seconds else None


def _check_equal(compared: Compared, answer: Any, stored: Sequence[str]) -> None:
    """Compare an answer with the rows of a database, numbers by value. Raises AssertionError.

    Of the rows of a search, the first column is compared.
    """
    ours = compared.rows(answer)
    theirs = [row.split("|")[: len(ours[0]) if ours else None] for row in stored]
    if not ours or list(map(_plain, ours)) != list(map(_plain, theirs)):
        different = [pair for pair in zip(ours, theirs, strict=False) if pair[0] != pair[1]]
        raise AssertionError((compared.name, len(ours), len(theirs), different[:5]))


def _plain(row: Sequence[str]) -> list[str | Decimal]:
    cells: list[str | Decimal] = []
    for cell in row:
        try:
            cells.append(Decimal(cell))
        except InvalidOperation:
            cells.append(cell)
    return cells
