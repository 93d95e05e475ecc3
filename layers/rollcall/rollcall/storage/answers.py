"""Parses the answers to reads, in place of botocore's parser, which follows the service model.

The model has ten kinds of value, and botocore looks for each of them in every attribute of every item:
of the reads of a query over the ledger, that takes most of botocore's time. The JSON of these answers
has the names of the model, and only binary values are not as they are in JSON.
"""

from __future__ import annotations

import json
from typing import Any, Final

from pybase64 import b64decode

# The operations that read items. Only their answers are large.
READS: Final = ("BatchGetItem", "GetItem", "Query")

_OK: Final = 200


def parse_read(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any
) -> None:
    """botocore hook (`before-parse.dynamodb`): parse an answer, and leave botocore an empty one.

    Refusals are left to botocore. A version of botocore without the event parses all answers itself,
    with the same result.
    """
    if response_dict["status_code"] == _OK:
        answer = json.loads(response_dict["body"], object_hook=_decoded)
        customized_response_dict.update(answer)
        response_dict["body"] = b""


def _decoded(node: dict[str, Any]) -> dict[str, Any]:
    """An object of JSON, with bytes if it is a binary attribute, or a set of them.

    An object with attributes, of which one is called `B`, has an object there.
    """
    data = node.get("B")
    if isinstance(data, str):
        node["B"] = b64decode(data, validate=True)
    elif "BS" in node and isinstance(node["BS"], list):
        node["BS"] = [b64decode(each, validate=True) for each in node["BS"]]
    return node
