"""The environment, read once: every variable has its meaning and its default here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

DEFAULT_RECORDS_TABLE = "rollcall-records"
DEFAULT_ANALYTICS_TABLE = "rollcall-analytics"


class BadSetting(ValueError):
    """An environment variable has a value that cannot be used; the message names it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a function or a command is told by its environment."""

    records_table: str = DEFAULT_RECORDS_TABLE  # ROLLCALL_RECORDS_TABLE
    analytics_table: str = DEFAULT_ANALYTICS_TABLE  # ROLLCALL_ANALYTICS_TABLE
    page_target_bytes: int = 8_192  # ROLLCALL_PAGE_TARGET_BYTES, 1,024 to 262,144
    ingest_concurrency: int = 16  # ROLLCALL_INGEST_CONCURRENCY, 1 to 64
    most_ledger_rows: int = 2_000_000  # ROLLCALL_MOST_LEDGER_ROWS, from this up to 100 million
    failure_destination: str = ""  # ROLLCALL_FAILURE_DESTINATION, s3://… or file:///…
    log_level: str = "INFO"  # ROLLCALL_LOG_LEVEL, in Lambda's words

    @staticmethod
    def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
        """The settings in an environment. Raises BadSetting."""

        def integer(name: str, default: int, least: int, most: int) -> int:
            text = environment.get(name, str(default))
            if not text.isdecimal() or not least <= int(text) <= most:
                raise BadSetting(f"{name} must be a number from {least} to {most}, not {text!r}")
            return int(text)

        defaults = Settings()
        level = environment.get("ROLLCALL_LOG_LEVEL", defaults.log_level)
        if level not in ("DEBUG", "INFO", "WARN", "ERROR"):
            raise BadSetting(f"ROLLCALL_LOG_LEVEL must be a level's name, not {level!r}")
        return Settings(
            records_table=environment.get("ROLLCALL_RECORDS_TABLE", defaults.records_table),
            analytics_table=environment.get("ROLLCALL_ANALYTICS_TABLE", defaults.analytics_table),
            page_target_bytes=integer(
                "ROLLCALL_PAGE_TARGET_BYTES", defaults.page_target_bytes, 1_024, 262_144
            ),
            ingest_concurrency=integer(
                "ROLLCALL_INGEST_CONCURRENCY", defaults.ingest_concurrency, 1, 64
            ),
            most_ledger_rows=integer(
                "ROLLCALL_MOST_LEDGER_ROWS", defaults.most_ledger_rows, 2_000_000, 100_000_000
            ),
            failure_destination=environment.get("ROLLCALL_FAILURE_DESTINATION", ""),
            log_level=level,
        )


settings = Settings.from_environment()
