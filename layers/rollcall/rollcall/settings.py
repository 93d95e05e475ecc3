"""The environment variables, read once: each is declared here with its default and its range."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

DEFAULT_RECORDS_TABLE: Final = "rollcall-records"
DEFAULT_ANALYTICS_TABLE: Final = "rollcall-analytics"


class BadSetting(ValueError):
    """An environment variable has an invalid value; the message names the variable and the rule."""


def _text(
    variable: str, default: str, *, one_of: tuple[str, ...] = (), max_length: int | None = None
) -> Any:
    def parse(text: str) -> str:
        if one_of and text not in one_of:
            raise BadSetting(f"{variable} must be one of {', '.join(one_of)}, not {text!r}")
        if max_length is not None and not 1 <= len(text.strip()) <= max_length:
            raise BadSetting(f"{variable} must have 1 to {max_length} characters")
        return text

    return _setting(variable, default, parse)


def _integer(variable: str, default: int, least: int, most: int) -> Any:
    def parse(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise BadSetting(f"{variable} must be a number from {least} to {most}, not {text!r}")
        return int(text)

    return _setting(variable, default, parse)


def _flag(variable: str, *, default: bool) -> Any:
    def parse(text: str) -> bool:
        if text not in ("true", "false"):
            raise BadSetting(f"{variable} must be true or false, not {text!r}")
        return text == "true"

    return _setting(variable, default, parse)


def _texts(variable: str) -> Any:
    """Texts separated by commas; none by default."""
    return _setting(variable, (), lambda text: tuple(filter(None, text.split(","))))


def _setting(variable: str, default: object, parse: Callable[[str], object]) -> Any:
    return field(default=default, metadata={"variable": variable, "parse": parse})


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a function or a command."""

    records_table: str = _text("ROLLCALL_RECORDS_TABLE", DEFAULT_RECORDS_TABLE)
    analytics_table: str = _text("ROLLCALL_ANALYTICS_TABLE", DEFAULT_ANALYTICS_TABLE)
    # A record may be in 16 pages or segments, all of which one transaction of 4 MB writes.
    page_target_bytes: int = _integer("ROLLCALL_PAGE_TARGET_BYTES", 8_192, 1_024, 131_072)
    segment_bytes: int = _integer("ROLLCALL_SEGMENT_BYTES", 131_072, 1_024, 131_072)
    cold_after_hours: int = _integer("ROLLCALL_COLD_AFTER_HOURS", 48, 1, 8_760)
    ingest_concurrency: int = _integer("ROLLCALL_INGEST_CONCURRENCY", 16, 1, 64)
    keep_detail: bool = _flag("ROLLCALL_KEEP_DETAIL", default=True)
    max_ledger_rows: int = _integer("ROLLCALL_MOST_LEDGER_ROWS", 2_000_000, 2_000_000, 100_000_000)
    reconcile_every_hours: int = _integer("ROLLCALL_RECONCILE_EVERY_HOURS", 24, 1, 8_760)
    reconcile_repairs: bool = _flag("ROLLCALL_RECONCILE_REPAIRS", default=False)
    reconcile_grace_seconds: int = _integer("ROLLCALL_RECONCILE_GRACE_SECONDS", 60, 0, 86_400)
    rebuild_chunk_facts: int = _integer("ROLLCALL_REBUILD_CHUNK_FACTS", 20_000, 1, 1_000_000)
    # How long API Gateway may cache the authorizer's policy (the template's ReauthorizeEvery).
    authorizer_cache_seconds: int = _integer("ROLLCALL_AUTHORIZER_CACHE_SECONDS", 60, 0, 3_600)
    # How long an answer may take: API Gateway times out after 29 seconds.
    longest_answer_seconds: int = _integer("ROLLCALL_LONGEST_ANSWER_SECONDS", 29, 0, 900)
    # Origins whose web pages may read answers (the template's AllowedOrigins), or `*` alone.
    allowed_origins: tuple[str, ...] = _texts("ROLLCALL_ALLOWED_ORIGINS")
    failure_destination: str = _text("ROLLCALL_FAILURE_DESTINATION", "")  # s3://… or file:///…
    # What encrypts the secrets of hooks: the ARN of a KMS key, or file:///… of a key file.
    hook_key: str = _text("ROLLCALL_HOOK_KEY", "")
    # The dimension of the metrics; the stack's name in a deployment.
    service: str = _text("ROLLCALL_SERVICE", "rollcall", max_length=255)
    log_level: str = _text("ROLLCALL_LOG_LEVEL", "INFO", one_of=("DEBUG", "INFO", "WARN", "ERROR"))

    @staticmethod
    def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
        """The settings in an environment; a missing variable has its default. Raises BadSetting."""
        values = {
            each.name: each.metadata["parse"](environment[each.metadata["variable"]])
            for each in fields(Settings)
            if each.metadata["variable"] in environment
        }
        return Settings(**values)


settings = Settings.from_environment()
