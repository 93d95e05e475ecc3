"""Breeze's dialect: one endpoint for every type of query, with ten filters.

Source: the published API of Breeze Buddy (`POST /agent/voice/breeze-buddy/analytics`): the body,
the names of the rows' fields and the status codes. Where it is silent, docs/contract.md says
what Rollcall decided: rounding, order, time zones and what is refused.
"""

from rollcall.dialects.breeze.errors import error_body
from rollcall.dialects.breeze.request import parse_query
from rollcall.dialects.breeze.response import answer_body

__all__ = ["answer_body", "error_body", "parse_query"]
