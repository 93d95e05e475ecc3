"""Load `events/seed.json`: the organisations, tokens and records that the sample events expect.

    load_seed(stack)  # into a running local stack

    seed = read_seed(path)  # or step by step, into the tables that the environment names
    write(seed)
    ...  # wait until the stream function has applied the records
    audit(seed)

The tokens are public, so they are stored only in an engine on this machine.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError

from rollcall.domain.organisations import Organisation, Token, is_well_formed, token_id
from rollcall.domain.time.calendar import parse_instant
from rollcall_cli.console import notice
from rollcall_cli.deployment import deployment
from rollcall_cli.errors import CommandError

if TYPE_CHECKING:
    from rollcall_cli.local.stack import LocalStack

SEED: Final = Path("events/seed.json")
ENDPOINT: Final = "AWS_ENDPOINT_URL_DYNAMODB"


def _milliseconds(value: Any) -> int:
    if not isinstance(value, str):
        raise ValueError("must be an RFC 3339 date and time")
    return parse_instant(value)


def _well_formed(token: str) -> str:
    if not is_well_formed(token):
        raise ValueError("must be rc_, 30 letters and digits, and their check digits")
    return token


Instant = Annotated[int, BeforeValidator(_milliseconds)]
"""An RFC 3339 instant in the file, parsed to milliseconds since 1970 UTC."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SampleToken(_Part):
    """A token whose text is public. `name` is unique within its organisation."""

    name: str
    token: Annotated[str, AfterValidator(_well_formed)]
    scopes: tuple[Literal["read", "ingest", "admin"], ...]
    expires_at: Instant | None = None
    revoked_at: Instant | None = None


class SampleOrganisation(_Part):
    """An organisation with a fixed id, and its records as `POST /v1/records` accepts them.

    With `is_audited`, its facts, pages and rollups are compared once they are loaded.
    """

    id: str
    handle: str
    name: str
    created_at: Instant
    is_audited: bool = False
    tokens: tuple[SampleToken, ...]
    records: tuple[dict[str, Any], ...]

    @property
    def best_token(self) -> str:
        """The token with the most scopes that is neither expired nor revoked."""
        valid = [t for t in self.tokens if t.expires_at is None and t.revoked_at is None]
        return max(valid, key=lambda token: len(token.scopes)).token


class Seed(_Part):
    """The content of the file."""

    organisations: tuple[SampleOrganisation, ...]


def read_seed(path: Path) -> Seed:
    """Read the file. Raises CommandError, which names the first fault."""
    from rollcall.api import strict_json

    try:
        return Seed.model_validate(strict_json.loads(path.read_bytes()))
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise CommandError(f"{path}: {place}: {first['msg']}") from error
    except ValueError as error:
        raise CommandError(f"{path}: {error}") from error


def load_seed(stack: LocalStack) -> Seed:
    """Load the seed of the stack's project, wait until its records are counted, audit and return it.

    Afterwards, the environment of this process names the stack's tables. Raises CommandError.
    """
    seed = read_seed(stack.template.path.parent / SEED)
    os.environ.update(stack.environment())
    write(seed)
    if not stack.drain():
        raise CommandError("some records of the seed are not counted after 10 minutes")
    audit(seed)
    names = ", ".join(sample.handle for sample in seed.organisations)
    notice(f"sample organisations: {names}; their tokens are in {SEED}")
    return seed


def write(seed: Seed) -> None:
    """Store organisations, tokens and records, through the same code as `POST /v1/records`.

    Existing organisations and tokens are kept; a record that has changed is written again. Raises
    CommandError when the engine is not on this machine, when another organisation has one of the
    handles, and when a record is refused.
    """
    require_local(os.environ.get(ENDPOINT, ""))
    with deployment() as bootstrap:
        for sample in seed.organisations:
            _create(bootstrap.directory(), sample)
            _ingest(bootstrap.ingest(), sample)


def audit(seed: Seed) -> None:
    """Run the audit of organisations with `is_audited`. Their records must have been applied."""
    require_local(os.environ.get(ENDPOINT, ""))
    with deployment() as bootstrap:
        for sample in seed.organisations:
            if sample.is_audited:
                organisation = bootstrap.directory().organisation(sample.id)
                bootstrap.reconcile()(organisation, is_repairing=False)


def require_local(endpoint: str) -> None:
    """Raise CommandError unless the endpoint is `localhost` or an address of this machine."""
    host = urlsplit(endpoint).hostname or ""
    if host != "localhost" and not _is_own_address(host):
        where = endpoint or "the DynamoDB service"
        raise CommandError(
            f"the sample tokens are public, so they are not stored in {where}: set {ENDPOINT} to an"
            " engine on this machine, such as http://127.0.0.1:8000"
        )


def _is_own_address(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:  # a name is not resolved: the query could leave this machine
        return False
    if address.is_loopback:
        return True
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    with socket.socket(family) as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return False
    return not address.is_unspecified


def _create(directory: Any, sample: SampleOrganisation) -> None:
    from rollcall.domain.errors import Conflict

    if directory.organisation(sample.id) is None:
        organisation = Organisation(sample.id, sample.handle, sample.name, sample.created_at)
        try:
            directory.create_organisation(organisation)
        except Conflict as error:
            raise CommandError(
                f"another organisation has the handle {sample.handle!r}, which the seed needs; use"
                " an engine without it"
            ) from error
    for token in sample.tokens:
        stored = Token(
            id=token_id(token.token),
            org_id=sample.id,
            scopes=token.scopes,
            created_at_ms=sample.created_at,
            expires_at_ms=token.expires_at,
            revoked_at_ms=token.revoked_at,
        )
        if directory.token(stored.id) is None:
            directory.put_token(stored)


def _ingest(ingest: Any, sample: SampleOrganisation) -> None:
    from rollcall.api.ingest import parse_documents
    from rollcall.domain.organisations import tenant

    changes, refusals = parse_documents(sample.records)
    if not refusals:
        with tenant(sample.id):
            refusals = ingest(sample.id, changes).refusals
    if refusals:
        first = refusals[0].index
        record = sample.records[first]
        faults = [f"{each.field} {each.message}" for each in refusals if each.index == first]
        raise CommandError(
            f"the seed's {record.get('type')} {record.get('id')!r} of {sample.handle}:"
            f" {'; '.join(faults)}"
        )
