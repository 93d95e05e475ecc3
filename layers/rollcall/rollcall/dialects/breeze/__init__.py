"""Breeze's dialect: one endpoint, twelve types of query, ten filters.

Source: the published API of Breeze Buddy (`POST /agent/voice/breeze-buddy/analytics`): the body, the
names of the rows' fields and the status codes. Rounding, order, time zones and what is refused are
Rollcall's where the publication is silent; see docs/compatibility.md.
"""

from rollcall.dialects.breeze.errors import error_body
from rollcall.dialects.breeze.request import parse_query
from rollcall.dialects.breeze.response import answer_body

__all__ = ["answer_body", "error_body", "parse_query"]
