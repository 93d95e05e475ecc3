"""NLPearl's dialect, as tests know it."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.support.dialect import Dialect
from tests.support.oracle import Oracle
from tests.support.oracle_nlpearl import nlpearl
from tests.support.scenes import (
    BAD_BOUNDS,
    CAMPAIGNS,
    Content,
    Query,
    Scene,
    happens,
    moment,
    offset_bound,
)


def _generate(random: Random, scene: Scene) -> Query:
    route = random.choice(["inbound", "outbound", "pearl"])
    campaign_id = "unknown" if happens(random, 4) else str(random.choice(CAMPAIGNS))
    named = [each for each in scene.records if "campaign_id" in each]
    if named and happens(random, 70):
        like = random.choice(named)
        campaign_id = str(like["campaign_id"])
        route = random.choice([like["direction"], "pearl"])
    moments = [moment(random, scene), moment(random, scene)]
    if happens(random, 90):
        moments.sort()
    bounds = [offset_bound(random, each) for each in moments]
    body: Content = dict(zip(["from", "to"], bounds, strict=True))
    if happens(random, 3):
        body[random.choice(["from", "to", "unknown"])] = random.choice(BAD_BOUNDS)
    if happens(random, 1):
        del body["from"]
    return Query(f"get_{route}_analytics", campaign_id, body)


def _answer(oracle: Oracle, query: Query) -> tuple[int, Any]:
    route = query.function.removeprefix("get_").removesuffix("_analytics")
    return nlpearl(oracle, route, query.path_id or "", query.body)


DIALECT = Dialect(
    {
        "get_inbound_analytics": "/v1/Inbound/{inboundId}/Analytics",
        "get_outbound_analytics": "/v1/Outbound/{outboundId}/Analytics",
        "get_pearl_analytics": "/v2/Pearl/{pearlId}/Analytics",
    },
    error_key="message",
    share=5,
    generate=_generate,
    answer=_answer,
)
