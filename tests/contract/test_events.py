"""The sample events for `sam local invoke`: every function has some, shaped as AWS sends them."""

import base64
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EVENTS = sorted((ROOT / "events").glob("*/*.json"))


def test_every_function_has_events_and_every_event_a_function():
    functions = {path.parent.name for path in (ROOT / "functions").glob("*/handler.py")}
    assert {path.parent.name for path in EVENTS} == functions


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_events_have_the_shape_of_their_source(path):
    event = json.loads(path.read_text("utf-8"))
    if "Records" in event:
        for record in event["Records"]:
            assert record["eventSource"] == "aws:dynamodb"
            assert record["eventName"] in ("INSERT", "MODIFY", "REMOVE")
            image = record["dynamodb"].get("NewImage") or record["dynamodb"]["OldImage"]
            assert record["dynamodb"]["Keys"] == {name: image[name] for name in ("PK", "SK")}
        return
    if "detail-type" in event:  # EventBridge's, of a schedule
        assert (event["source"], event["detail-type"]) == ("aws.events", "Scheduled Event")
        assert all(":rule/" in resource for resource in event["resources"])
        assert event["detail"] == {}
        return
    for single, multiple in (
        ("headers", "multiValueHeaders"),
        ("queryStringParameters", "multiValueQueryStringParameters"),
    ):
        last = {name: values[-1] for name, values in (event[multiple] or {}).items()}
        assert (event[single] or {}) == last
    context = event["requestContext"]
    assert context["resourcePath"] == event["resource"]
    if path.parent.name == "authorize_request":
        assert event["type"] == "REQUEST"
        assert event["methodArn"].endswith(event["httpMethod"] + event["path"])
        assert "authorizer" not in context
        return
    assert all(isinstance(context["authorizer"][name], str) for name in ("org_id", "epoch"))
    # BinaryMediaTypes is */*: a body comes as base64, or not at all.
    assert event["isBase64Encoded"] == (event["body"] is not None)
    if event["body"] is not None:
        base64.b64decode(event["body"], validate=True)
