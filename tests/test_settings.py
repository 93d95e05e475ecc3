"""Every setting: its variable, its default, and the values that it refuses."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from rollcall.settings import BadSetting, Settings

ROOT = Path(__file__).resolve().parents[1]
VARIABLES = {each.metadata["variable"]: each for each in fields(Settings)}
LIMITS = {
    "ROLLCALL_PAGE_TARGET_BYTES": (1_024, 131_072),
    "ROLLCALL_INGEST_CONCURRENCY": (1, 64),
    "ROLLCALL_MOST_LEDGER_ROWS": (2_000_000, 100_000_000),
    "ROLLCALL_RECONCILE_EVERY_HOURS": (1, 8_760),
    "ROLLCALL_COLD_AFTER_HOURS": (1, 8_760),
    "ROLLCALL_SEGMENT_BYTES": (1_024, 131_072),
    "ROLLCALL_RECONCILE_GRACE_SECONDS": (0, 86_400),
    "ROLLCALL_REBUILD_CHUNK_FACTS": (1, 1_000_000),
    "ROLLCALL_AUTHORIZER_CACHE_SECONDS": (0, 3_600),
    "ROLLCALL_LONGEST_ANSWER_SECONDS": (0, 900),
}


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings.from_environment({}) == Settings()


def test_each_setting_has_a_variable_of_its_own() -> None:
    assert len(VARIABLES) == len(fields(Settings))


@pytest.mark.parametrize("variable", VARIABLES)
def test_the_text_of_a_default_is_accepted(variable: str) -> None:
    default = VARIABLES[variable].default
    text = ",".join(default) if isinstance(default, tuple) else str(default)
    text = text.lower() if isinstance(default, bool) else text
    assert Settings.from_environment({variable: text}) == Settings()


def test_origins_are_separated_by_commas() -> None:
    given = Settings.from_environment({"ROLLCALL_ALLOWED_ORIGINS": "https://a.example,http://b:1"})
    assert given.allowed_origins == ("https://a.example", "http://b:1")


def test_every_number_has_limits() -> None:
    numbers = {name for name, each in VARIABLES.items() if type(each.default) is int}
    assert set(LIMITS) == numbers


@pytest.mark.parametrize(("variable", "limits"), LIMITS.items())
def test_a_number_is_accepted_only_within_its_limits(
    variable: str, limits: tuple[int, int]
) -> None:
    least, most = limits
    name = VARIABLES[variable].name
    for value in limits:
        assert getattr(Settings.from_environment({variable: str(value)}), name) == value
    for text in (str(least - 1), str(most + 1), "", "1.5", " 1", "many"):
        with pytest.raises(BadSetting, match=f"{variable} must be a number from {least} to {most}"):
            Settings.from_environment({variable: text})


@pytest.mark.parametrize(
    ("variable", "rule"),
    [
        ("ROLLCALL_RECONCILE_REPAIRS", "must be true or false"),
        ("ROLLCALL_LOG_LEVEL", "must be one of DEBUG, INFO, WARN, ERROR"),
    ],
)
@pytest.mark.parametrize("text", ["", "True", "info", "1"])
def test_a_value_outside_the_choices_is_refused(variable: str, rule: str, text: str) -> None:
    with pytest.raises(BadSetting, match=f"{variable} {rule}, not '{text}'"):
        Settings.from_environment({variable: text})


def test_the_template_sets_only_declared_variables() -> None:
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    named = set(re.findall(r"ROLLCALL_[A-Z_]+", template))
    assert named
    assert named <= VARIABLES.keys()
