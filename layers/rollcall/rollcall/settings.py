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
    max_ledger_rows: int = 2_000_000  # ROLLCALL_MOST_LEDGER_ROWS, from this up to 100 million
    reconcile_every_hours: int = 24  # ROLLCALL_RECONCILE_EVERY_HOURS, 1 to 8,760
    reconcile_repairs: bool = False  # ROLLCALL_RECONCILE_REPAIRS, true or false
    reconcile_grace_seconds: int = 60  # ROLLCALL_RECONCILE_GRACE_SECONDS, 0 to 86,400
    rebuild_chunk_facts: int = 20_000  # ROLLCALL_REBUILD_CHUNK_FACTS, 1 to 1 million
    # How long a gateway may keep an authorizer's answer (the template's ReauthorizeEvery).
    authorizer_cache_seconds: int = 60  # ROLLCALL_AUTHORIZER_CACHE_SECONDS, 0 to 3,600
    # How long an answer may take: API Gateway gives up after 29 seconds.
    longest_answer_seconds: int = 29  # ROLLCALL_LONGEST_ANSWER_SECONDS, 0 to 900
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

        def flag(name: str, default: bool) -> bool:
            text = environment.get(name, str(default).lower())
            if text not in ("true", "false"):
                raise BadSetting(f"{name} must be true or false, not {text!r}")
            return text == "true"

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
            max_ledger_rows=integer(
                "ROLLCALL_MOST_LEDGER_ROWS", defaults.max_ledger_rows, 2_000_000, 100_000_000
            ),
            reconcile_every_hours=integer(
                "ROLLCALL_RECONCILE_EVERY_HOURS", defaults.reconcile_every_hours, 1, 8_760
            ),
            reconcile_repairs=flag("ROLLCALL_RECONCILE_REPAIRS", defaults.reconcile_repairs),
            reconcile_grace_seconds=integer(
                "ROLLCALL_RECONCILE_GRACE_SECONDS", defaults.reconcile_grace_seconds, 0, 86_400
            ),
            rebuild_chunk_facts=integer(
                "ROLLCALL_REBUILD_CHUNK_FACTS", defaults.rebuild_chunk_facts, 1, 1_000_000
            ),
            authorizer_cache_seconds=integer(
                "ROLLCALL_AUTHORIZER_CACHE_SECONDS", defaults.authorizer_cache_seconds, 0, 3_600
            ),
            longest_answer_seconds=integer(
                "ROLLCALL_LONGEST_ANSWER_SECONDS", defaults.longest_answer_seconds, 0, 900
            ),
            failure_destination=environment.get("ROLLCALL_FAILURE_DESTINATION", ""),
            log_level=level,
        )


settings = Settings.from_environment()
