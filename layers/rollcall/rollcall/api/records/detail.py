"""The `detail` of a call, as clients send it, and the JSON text that is stored of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from rollcall.api import strict_json
from rollcall.domain.decimals import scaled, unscaled
from rollcall.domain.validation import MAX_AMOUNT, MAX_SUMMARY_LENGTH, MAX_TEXT_LENGTH
from rollcall.wire import AsNumber

_ABSENT: Final[Any] = None  # the default of an optional field: not validated, so null is refused

_Text = Annotated[str, StringConstraints(strict=True, max_length=MAX_TEXT_LENGTH)]
_LongText = Annotated[str, StringConstraints(strict=True)]
_Summary = Annotated[str, StringConstraints(strict=True, max_length=MAX_SUMMARY_LENGTH)]
_Https = Annotated[str, StringConstraints(strict=True, pattern=r"^https://[^\s/?#]\S*$")]
_Web = Annotated[str, StringConstraints(strict=True, pattern=r"^https?://[^\s/?#]\S*$")]


def _milliseconds(seconds: Decimal) -> Decimal:
    """Seconds, rounded to milliseconds."""
    return unscaled(scaled(seconds, 3), 3)


# Infinite is what a number is whose exponent no Decimal holds; the limit refuses it.
_Amount = Annotated[Decimal, Field(ge=0, le=MAX_AMOUNT, allow_inf_nan=True), AsNumber]
_Seconds = Annotated[_Amount, AfterValidator(_milliseconds)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Turn(_Part):
    """What one side said, without a break."""

    role: _Text = Field(description="Who spoke: `agent`, `user`.")
    text: _LongText = Field(description="What was said.")
    at_seconds: _Seconds = Field(
        _ABSENT, description="Seconds after the start of the call, rounded to milliseconds."
    )


class Link(_Part):
    """A page about the call elsewhere."""

    name: _Text = Field(description="What it is called.")
    url: _Web = Field(description="Its address.")


class Detail(_Part):
    """What was said in a call, and where it can be heard."""

    summary: _Summary = Field(_ABSENT, description="A summary of the call.")
    transcript: Annotated[list[Turn], Field(strict=True)] = Field(
        _ABSENT, description="What was said, in order."
    )
    recording_url: _Https = Field(_ABSENT, description="The address of the recording.")
    links: Annotated[list[Link], Field(strict=True)] = Field(
        _ABSENT, description="Pages about the call elsewhere."
    )
    from_number: _Text = Field(_ABSENT, description="The number that called.")
    to_number: _Text = Field(_ABSENT, description="The number that was called.")


def _stored(detail: Detail) -> str | None:
    """The JSON text: keys in the order of the fields, without empty ones. None if there are none."""
    parts = detail.model_dump(exclude_none=True)
    kept = {name: value for name, value in parts.items() if value != []}
    return strict_json.dumps(kept) if kept else None


StoredDetail = Annotated[Detail, AfterValidator(_stored)]
NAMES: Final = tuple(Detail.model_fields)
