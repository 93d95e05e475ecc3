"""NLPearl's dialect: analytics of one inbound or outbound campaign, or of a Pearl.

Source: NLPearl's published API reference (v1 `Inbound/{inboundId}/Analytics`, `Outbound/…`, v2
`Pearl/…`) and its official client `nlpearl` on PyPI. Where they are silent, docs/contract.md
says what Rollcall decided.
"""

from rollcall.dialects.nlpearl.request import parse_period
from rollcall.dialects.nlpearl.response import error_body, inbound_body, outbound_body

__all__ = ["error_body", "inbound_body", "outbound_body", "parse_period"]
