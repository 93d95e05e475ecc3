"""Words that the glossary replaces are used nowhere in the repository (docs/glossary.md)."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# The word, and what to write instead.
REPLACED = {
    "anew": "again",
    "astray": "misplaced",
    "befalls": "happens to",
    "heal": "repair",
    "healed": "repaired",
    "heals": "repairs",
    "judge": "resolve, or check",
    "judged": "resolved, or checked",
    "judges": "resolves, or checks",
    "mend": "repair or fix",
    "mended": "repaired or fixed",
    "mends": "repairs or fixes",
    "nobody": "name what is missing: no client, no record, an unknown lead",
    "somebody": "someone, or name who",
    "told": "reported",
    "whoever": "name who: the caller, the reader, another run",
}
# Where the words are listed, and what was written before the glossary.
EXCEPT = ("CHANGELOG.md", "docs/glossary.md", "tests/test_language.py")
# Also within names, where an underscore or a capital separates words.
WORDS = re.compile(rf"(?<![A-Za-z])({'|'.join(REPLACED)})(?![a-z])", re.IGNORECASE)


def files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "*.py", "*.md", "*.yaml", "*.toml", "Makefile"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [name for name in listed.stdout.splitlines() if name not in EXCEPT]


def test_replaced_words_are_not_used() -> None:
    found = [
        f"{name}:{number}: {word!r}; write {REPLACED[word.lower()]!r}"
        for name in files()
        if (ROOT / name).is_file()
        for number, line in enumerate((ROOT / name).read_text("utf-8").splitlines(), 1)
        for word in WORDS.findall(line)
    ]
    assert found == []
