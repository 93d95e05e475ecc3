"""One request of a provider: as it came, and as the document that a map reads."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from rollcall.api.strict_json import number

MAX_BODY_BYTES = 4_500_000

# A form of a provider has some dozens; more take too long to parse.
_MOST_FORM_FIELDS = 1_000


class Unmappable(ValueError):
    """A delivery is authentic, and cannot be made part of a call; the message says why."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A request to a hook. Header names are in lower case; `body` is what was sent, byte by byte.

    `url` is the public address that the provider calls, without its query.
    """

    url: str
    body: bytes = field(repr=False)
    headers: Mapping[str, Sequence[str]] = field(repr=False)
    query: Mapping[str, Sequence[str]] = field(repr=False)
    received_at_ms: int

    def header(self, name: str) -> str:
        """The value of a header; empty unless it was sent exactly once."""
        values = self.headers.get(name.lower(), ())
        return values[0] if len(values) == 1 else ""

    def form(self) -> list[tuple[str, str]]:
        """The fields of a form, in order. Raises ValueError for more than a provider would send."""
        text = self.body.decode("utf-8", "replace")
        return parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FORM_FIELDS)

    def digest(self) -> str:
        """What identifies the delivery: the SHA-256 of its body, equal for repetitions."""
        return hashlib.sha256(self.body).hexdigest()


def parsed_form(delivery: Delivery) -> dict[str, Any]:
    """The last value of each field of a form, and the query under `query`. Raises Unmappable."""
    try:
        fields: dict[str, Any] = dict(delivery.form())
    except ValueError as error:
        raise Unmappable(f"the body is not a form: {error}") from None
    return fields | {"query": {name: values[-1] for name, values in delivery.query.items()}}


def parsed_json(delivery: Delivery) -> dict[str, Any]:
    """The JSON object of a body, of any depth and with any keys. Raises Unmappable.

    Providers are not held to the strict JSON of `POST /v1/records`: they nest deeper.
    """
    try:
        document = json.loads(
            delivery.body.decode("utf-8"), parse_float=number, parse_constant=_refuse
        )
    except UnicodeDecodeError:
        raise Unmappable("the body is not UTF-8") from None
    except (ValueError, RecursionError):
        raise Unmappable("the body is not JSON") from None
    if not isinstance(document, dict):
        raise Unmappable("the body is not a JSON object")
    return document


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


PARSERS = {"json": parsed_json, "form": parsed_form}
