"""The read of a lag measurement: a fact that can be read."""

from __future__ import annotations

from rollcall.domain.organisations import Organisation, tenant
from rollcall.storage import keys
from rollcall.storage.probing import ProbeReads
from tests.support.builders import call, deletion, lead
from tests.support.erasing import BACKOFF, RECORDS, Deployment


def probing(at: Deployment) -> ProbeReads:
    return ProbeReads(at.client, RECORDS, BACKOFF)


def test_a_fact_with_a_position_is_found_in_any_partition() -> None:
    at = Deployment()
    organisation = at.organisation(buckets=4)
    with tenant(organisation.id):
        assert probing(at).some_fact(organisation) is None
    at.put(organisation, deletion("call", "never there"))  # has no position
    with tenant(organisation.id):
        assert probing(at).some_fact(organisation) is None
    at.put(organisation, lead("7"))
    with tenant(organisation.id):
        found = probing(at).some_fact(organisation)
    assert found is not None
    assert (found.type, found.id) == ("lead", "7")


def damage(at: Deployment, organisation: Organisation, call_id: str) -> None:
    key = keys.fact(organisation.id, "call", call_id, organisation.buckets).attributes()
    with tenant(organisation.id):
        at.client.put_item(TableName=RECORDS, Item=key | {"rubbish": {"S": "x"}})


def test_a_damaged_fact_is_passed_over() -> None:
    at = Deployment()
    organisation = at.organisation(buckets=1)
    damage(at, organisation, "0")
    at.put(organisation, call("1"), lead("7"))
    with tenant(organisation.id):
        found = probing(at).some_fact(organisation)
    assert found is not None
    assert found.type == "lead"
