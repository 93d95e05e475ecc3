"""Whether calls that hooks report have the same facts and answers in every order of their deliveries.

The answers must be those that the oracles of the dialects and of queries expect of the records that the
oracle of hooks makes of the events.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

from rollcall import bootstrap
from rollcall.api import strict_json
from rollcall.api.records.documents import parse_record
from rollcall.domain.facts import Change, Fact, resolve
from rollcall.hooks.events import Event, HookMap
from rollcall.hooks.maps import PROVIDERS, hook_table
from rollcall.hooks.state import CallState
from rollcall.settings import settings
from rollcall.storage import keys
from rollcall.storage.fact_items import item_of_fact
from tests.support.agreement import Disagreement, check
from tests.support.answering import Deployment
from tests.support.hook_events import OWN, START_MS, Sent, call_of, delivery_of
from tests.support.hook_oracle import Said, document_of
from tests.support.hook_requests import new_hook
from tests.support.oracle import Oracle
from tests.support.queries_of_dialects import DIALECTS, dialect_query
from tests.support.query_agreement import check_query
from tests.support.query_bodies import Context, query_body
from tests.support.query_oracle import QueryOracle
from tests.support.scenes import Query, Scene

# After the latest event of any call.
NOW_MS = START_MS + 1_200_000
# What no provider says, and dialects ask for; a campaign needs the direction of its calls.
_SCOPES: Mapping[str, Sequence[str]] = {
    "space_token": ["sp 1", "sp-2"],
    "template_id": ["t#1", "7"],
    "merchant_id": ["m", "9"],
    "reseller_id": ["r"],
    "campaign_id": ["c", "c#1"],
    "payload.plan": ["basic", "gold"],
}
_DIRECTED = ("vapi", "retell", "twilio", "bland")
_QUERY: dict[str, Any] = {
    "measures": [
        "calls", "completed", "answered", "failed", "successful", "transferred", "talk_seconds",
        "cost", "avg_sentiment", "success_rate",
    ],
    "dimensions": ["status", "disposition"],
}  # fmt: skip
# No write decides these: the revision says when a version was stored, and the other two where it was.
_HISTORY = ("rev", "moved_rev", "left_behind")


@dataclass(frozen=True)
class Reported:
    """Calls of one provider, the orders in which their deliveries come, and what is asked then.

    A delivery is signed at its own time, however often it is sent.
    """

    provider: str
    own: dict[str, Any]
    calls: Mapping[str, Sequence[Sent]]
    orders: Sequence[Sequence[Sent]]
    dialect_queries: Sequence[Query]
    queries: Sequence[dict[str, Any]]
    documents: Sequence[dict[str, Any]]
    is_long: bool = False


def reported(random: Random, queries: int) -> Reported:
    """Calls of a provider, with so many generated queries beside one of each dialect."""
    provider = random.choice(PROVIDERS)
    own = _own_map(random, provider)
    calls = {
        f"call-{number}": _signed_in_turn(call_of(provider, random, f"call-{number}"))
        for number in range(random.choice((1, 2)))
    }
    said = {name: [_said(provider, own, each) for each in sent] for name, sent in calls.items()}
    documents = [made for n, each in said.items() if (made := document_of(n, each)) is not None]
    in_order = list(itertools.chain.from_iterable(calls.values()))
    orders = [in_order]
    orders += [_shuffled(random, in_order) for _ in range(2)]
    scene = Scene(START_MS, ("UTC", "Europe/Berlin"), documents)
    context = Context(scene, documents, NOW_MS)
    asked = [dialect.generate(random, scene) for dialect in DIALECTS]
    return Reported(
        provider,
        own,
        calls,
        orders,
        [*asked, *(dialect_query(random, scene) for _ in range(queries))],
        [_QUERY, *(query_body(random, context) for _ in range(2))],
        documents,
        is_long=len(in_order) > 5 and random.random() < 0.1,
    )


def check_reported(deployment: Deployment, scenario: Reported, _now_ms: int) -> Counter[Any]:
    """How often each kind of comparison was made. Raises Disagreement."""
    seen: Counter[Any] = Counter()
    for sent in scenario.calls.values():
        seen[scenario.provider, "orders"] += check_orders(scenario.provider, sent, scenario.own)
    if scenario.is_long:
        longer = [each for sent in scenario.calls.values() for each in sent]
        seen[scenario.provider, "shuffles"] += check_orders(
            scenario.provider, longer, scenario.own, shuffles=1_000
        )
    ends = [_end(deployment, scenario, order, seen) for order in scenario.orders]
    seen[scenario.provider, "calls"] += len(scenario.calls)
    for end in ends[1:]:
        if end != ends[0]:
            raise Disagreement(f"facts differ by order\n{ends[0]}\n{end}\n{scenario}")
    return seen


def check_orders(
    provider: str, sent: Sequence[Sent], own: Mapping[str, Any] | None = None, shuffles: int = 0
) -> int:
    """How many orders of a call's deliveries were compared: all of them, or some with repetitions.

    Raises Disagreement unless all end in the same fact.
    """
    hook_map = HookMap(hook_table(provider, own or OWN.get(provider, {})))
    events = [hook_map.event(delivery_of(provider, each), each.at_ms) for each in sent]
    orders: Iterable[Sequence[Event]] = itertools.permutations(events)
    if shuffles:
        orders = (_shuffled(Random(number), events) for number in range(shuffles))
    changes: dict[str, Change | None] = {}
    facts = Counter(_content(_fact_of(order, "call-1", changes)) for order in orders)
    if len(facts) != 1:
        raise Disagreement(f"{len(facts)} facts of {facts.total()} orders\n{facts}\n{sent}")
    return facts.total()


def _shuffled(random: Random, events: Sequence[Any]) -> list[Any]:
    order = [*events, *random.choices(events, k=random.randrange(10))]
    random.shuffle(order)
    return order


def _fact_of(order: Sequence[Event], name: str, changes: dict[str, Change | None]) -> Fact | None:
    """The fact that the records of an order of events make."""
    state, fact = CallState(), None
    for number, event in enumerate(order):
        state = state.folded(event)
        text = state.to_text()
        if text not in changes:
            record = state.record(name)
            changes[text] = parse_record(strict_json.loads(record)) if record else None
        change = changes[text]
        if change is not None:
            fact = resolve(fact, change, (NOW_MS + number) * 1_000).fact or fact
    return fact


def _content(fact: Fact | None) -> str:
    if fact is None:
        return ""
    item = item_of_fact(keys.fact("org", fact.type, fact.id, 1), fact)
    return repr({name: value for name, value in sorted(item.items()) if name not in _HISTORY})


def _end(
    deployment: Deployment, scenario: Reported, order: Sequence[Sent], seen: Counter[Any]
) -> list[str]:
    """What is stored of the calls after deliveries in an order; the answers are compared too."""
    random = Random(len(order))
    deployment.now_ms = NOW_MS
    org_id = deployment.organisation([])
    hook = new_hook(random, org_id, scenario.provider)
    deployment.store.put(settings.records_table, hook.item(NOW_MS, scenario.own))
    with _streaming(deployment) as written:
        for sent in order:
            answer = deployment.invoke("receive_hook", hook.event(sent.body, sent.at_ms))
            if answer.status != 200 or "ignored" in answer.text:
                raise Disagreement(f"{answer}\n{sent}")
            if random.random() < 0.4:
                _apply(written)
        _apply(written)
    _ask_all(deployment, org_id, scenario, seen)
    found = []
    for name in scenario.calls:
        stored = deployment.ask("get_call", org_id, path={"id": name})
        is_recorded = any(document["id"] == name for document in scenario.documents)
        if stored.status != (200 if is_recorded else 404):
            raise Disagreement(f"{name}: {stored}\n{scenario}")
        found.append(stored.text)
    return found


def _ask_all(deployment: Deployment, org_id: str, scenario: Reported, seen: Counter[Any]) -> None:
    oracle = Oracle()
    oracle.post(list(scenario.documents), NOW_MS)
    for asked in scenario.dialect_queries:
        check(deployment, org_id, oracle, asked)
        seen[scenario.provider, asked.function] += 1
    deployment.now_ms = NOW_MS
    queries = QueryOracle(list(scenario.documents), NOW_MS - 1)
    for body in scenario.queries:
        check_query(deployment, org_id, queries, body)
        seen[scenario.provider, "query"] += 1


@contextmanager
def _streaming(deployment: Deployment) -> Iterator[list[Any]]:
    """The facts that are written meanwhile, as the stream has them."""
    written: list[Any] = []

    def on_write(_table: str, _before: Any, after: Any) -> None:
        if after is not None and after["SK"]["S"].startswith("FACT#"):
            written.append({"eventName": "MODIFY", "dynamodb": {"NewImage": after}})

    deployment.store.on_write = on_write
    try:
        yield written
    finally:
        deployment.store.on_write = None


def _apply(written: list[Any]) -> None:
    result = bootstrap.update()(written)
    assert not result.failures, result.failures
    written.clear()


def _own_map(random: Random, provider: str) -> dict[str, Any]:
    """A user's map that adds what dialects ask for."""
    own: dict[str, Any] = dict(OWN.get(provider, {}))
    added = {name: random.choice(texts) for name, texts in _SCOPES.items() if random.random() < 0.7}
    if provider not in _DIRECTED:
        added["direction"] = random.choice(["inbound", "outbound"])
    return own | {"constants": added}


def _signed_in_turn(sent: Sequence[Sent]) -> list[Sent]:
    """Within the life of a signature; some at one millisecond."""
    return [Sent(each.body, NOW_MS - 10_000 + number // 2) for number, each in enumerate(sent)]


def _said(provider: str, own: Mapping[str, Any], sent: Sent) -> Said:
    event = HookMap(hook_table(provider, own)).event(delivery_of(provider, sent), sent.at_ms)
    return Said(event.rank, event.time_ms, event.digest, event.values)
