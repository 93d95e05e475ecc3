"""The limits of one query and of one search."""

from __future__ import annotations

from typing import Final

MAX_MEASURES: Final = 20
MAX_DIMENSIONS: Final = 3
MAX_ROWS: Final = 10_000
DEFAULT_ROWS: Final = 1_000
MAX_CALLS: Final = 500
DEFAULT_CALLS: Final = 50
MAX_CONDITIONS: Final = 50
MAX_NESTING: Final = 5
MAX_VALUES: Final = 100
