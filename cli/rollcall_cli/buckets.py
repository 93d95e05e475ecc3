"""The option `--buckets` of commands."""

from __future__ import annotations

from rollcall.domain.epochs import MAX_BUCKETS
from rollcall_cli.errors import CommandError


def check_buckets(buckets: int) -> None:
    """Raises CommandError unless an organisation can have that many buckets."""
    if not 1 <= buckets <= MAX_BUCKETS:
        raise CommandError(f"--buckets must be 1 to {MAX_BUCKETS}, not {buckets}")
