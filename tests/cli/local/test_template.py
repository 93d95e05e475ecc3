"""The template as the local stack reads it: resolved, complete, and refused where not understood."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollcall_cli.local.intrinsics import TemplateError
from rollcall_cli.local.template import load_template

ROOT = Path(__file__).parents[3]


def changed(path: Path, old: str, new: str) -> Path:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return path


def test_tables_are_the_arguments_of_create_table(template):
    records, analytics = template.tables
    assert records.name == "rollcall-records"
    assert records.has_stream
    assert not analytics.has_stream
    assert set(records.create_arguments) == {
        "TableName",
        "AttributeDefinitions",
        "KeySchema",
        "GlobalSecondaryIndexes",
        "BillingMode",
        "StreamSpecification",
    }
    assert records.create_arguments["StreamSpecification"] == {
        "StreamEnabled": True,
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    }


def test_functions_have_their_own_settings_over_the_global_ones(template, template_path):
    update = template.functions["UpdateFunction"]
    assert update.folder == template_path.parent.resolve() / "functions/update"
    assert (update.handler, update.timeout_seconds, update.memory_mb) == (
        "handler.lambda_handler",
        20,
        1769,
    )
    assert update.layer_folders == (template_path.parent.resolve() / "layer",)
    assert update.environment == {
        "ROLLCALL_RECORDS_TABLE": "rollcall-records",
        "ROLLCALL_ANALYTICS_TABLE": "rollcall-analytics",
        "GREETING": "hello",
        "PAGES": "7",
        "ROLLCALL_FAILURE_DESTINATION": "s3://rollcall-failurebucket",
    }


def test_parameters_override_defaults(template_path):
    template = load_template(template_path, {"Pages": "11"})
    assert template.functions["UpdateFunction"].environment["PAGES"] == "11"
    with pytest.raises(TemplateError, match="no parameter Sheets"):
        load_template(template_path, {"Sheets": "11"})


def test_routes_have_their_authorizer(template):
    authorizers = {(route.method, route.path): route.authorizer for route in template.api.routes}
    assert authorizers["GET", "/open"] is None
    authorizer = authorizers["GET", "/echo/{id}"]
    assert authorizer is not None
    assert authorizer.function == "AuthorizeFunction"
    assert authorizer.identity_headers == ("Authorization",)
    assert authorizer.ttl_seconds == 60


def test_the_stream_mapping_is_read_whole(template):
    (mapping,) = template.mappings
    assert mapping.function == "UpdateFunction"
    assert mapping.table.name == "rollcall-records"
    assert (mapping.batch_size, mapping.window_seconds) == (1000, 1.0)
    assert (mapping.maximum_retries, mapping.maximum_age_seconds) == (2, 82800)
    assert mapping.bisect_on_error
    assert mapping.reports_item_failures
    keys = {"PK": {"S": "x"}, "SK": {"S": "FACT#1"}}
    assert mapping.event_filter.matches({"dynamodb": {"Keys": keys}})
    assert not mapping.event_filter.matches({"dynamodb": {"Keys": keys | {"SK": {"S": "ORG"}}}})


def test_media_types_and_gateway_responses(template):
    assert template.api.binary_media_types == ("application/octet-stream",)
    assert template.api.responses["MISSING_AUTHENTICATION_TOKEN"].status == 404


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("!Ref Greeting", "!If [a, b, c]", "Fn::If"),
        ("!Ref Greeting", "!Ref Nothing", "the template has no Nothing"),
        (
            "!Ref Greeting",
            "!GetAtt Api.RootResourceId",
            "does not support attribute RootResourceId",
        ),
        ("!Ref Greeting", "{Fn::ImportValue: x}", "Fn::ImportValue"),
        ("BillingMode: PAY", "Shape: round\n      BillingMode: PAY", "unknown table properties"),
        ('"prefix":"FACT#"', '"suffix":"FACT#"', "unknown operator 'suffix'"),
        ("TRIM_HORIZON", "LATEST", "StartingPosition"),
        ("FunctionPayloadType: REQUEST", "FunctionPayloadType: TOKEN", "REQUEST"),
        ("Path: /open", "Path: /echo/fixed", "declared twice"),
        ("Authorizer: NONE", "Authorizer: Other", "no authorizer Other"),
        ("$context.requestId", "$context.stage", "unknown variable"),
        ("Transform:", "Transform: [", "not YAML"),
        ("Type: DynamoDB\n", "Type: Kinesis\n", "Kinesis"),
    ],
)
def test_what_is_not_understood_is_an_error(template_path, old, new, message):
    with pytest.raises(TemplateError, match=message):
        load_template(changed(template_path, old, new))


@pytest.mark.parametrize(
    ("parameter", "greeting"),
    [("", "none"), ("a,b", "a+b first a"), ("a", "a first a"), ("no!", None)],
)
def test_conditions_lists_and_patterns(template_path, parameter, greeting):
    path = changed(
        template_path,
        "Parameters:\n",
        "Conditions:\n"
        '  IsGiven: !Not [!Equals [!Ref Names, ""]]\n'
        "  IsList: !Or [!And [!Condition IsGiven, !Equals [a, a]], !Equals [a, b]]\n"
        "Parameters:\n"
        '  Names: {Type: String, Default: "", AllowedPattern: "[a-z,]*"}\n',
    )
    text = "!Sub ['${All} first ${First}', {All: !Join ['+', !Split [',', !Ref Names]], "
    text += "First: !Select [0, !Split [',', !Ref Names]]}]"
    path = changed(path, "!Ref Greeting", f"!If [IsList, {text}, none]")
    path = changed(
        path, "GREETING:", "ABSENT: !If [IsList, !Ref AWS::NoValue, x]\n        GREETING:"
    )
    if greeting is None:
        with pytest.raises(TemplateError, match=r"Names must be a text that matches .*, not 'no!'"):
            load_template(path, {"Names": parameter})
        return
    environment = load_template(path, {"Names": parameter}).functions["EchoFunction"].environment
    assert environment["GREETING"] == greeting
    assert ("ABSENT" in environment) == (parameter == "")


def test_rollcalls_own_preflights_are_read():
    def mocks(**parameters):
        return load_template(ROOT / "template.yaml", parameters).api.mocks

    assert mocks() == ()
    routes = load_template(ROOT / "template.yaml").api.routes
    found = mocks(AllowedOrigins="https://a.example")
    assert {mock.path for mock in found} == {route.path for route in routes}
    assert {(mock.method, mock.status) for mock in found} == {("OPTIONS", 204)}


@pytest.mark.parametrize(
    "old",
    ["type: mock", "contentHandling: CONVERT_TO_TEXT", 'statusCode: "204"'],
)
def test_a_preflight_that_api_gateway_would_not_answer_is_an_error(tmp_path, old):
    path = tmp_path / "template.yaml"
    text = (ROOT / "template.yaml").read_text("utf-8")
    path.write_text(text.replace(old, old.split(":")[0] + ": other", 1), "utf-8")
    with pytest.raises((TemplateError, ValueError)):
        load_template(path, {"AllowedOrigins": "https://a.example"})


def test_a_schedule_is_understood_and_nothing_of_the_local_stack(template, template_path):
    path = changed(template_path, "Type: DynamoDB\n", "Type: Schedule\n")
    scheduled = load_template(path)
    assert scheduled.mappings == ()
    assert scheduled.functions == template.functions
    assert scheduled.api == template.api


def test_a_template_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(TemplateError, match="cannot read the template"):
        load_template(tmp_path / "template.yaml")


def test_rollcalls_own_template_is_understood():
    template = load_template(ROOT / "template.yaml")
    assert {table.name for table in template.tables} == {"rollcall-records", "rollcall-analytics"}
    assert template.api.binary_media_types == ("*/*",)
    (mapping,) = template.mappings
    assert mapping.maximum_retries == -1
    for function in template.functions.values():
        assert (function.folder / "handler.py").is_file()
        assert function.environment["ROLLCALL_RECORDS_TABLE"] == "rollcall-records"
