"""The template as it is deployed: permissions, leftovers of a failed creation, parameters, limits."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import yaml

from rollcall.api.cors import EXPOSED_HEADERS
from rollcall.api.errors import RETRY_AFTER_SECONDS
from rollcall.storage import keys
from rollcall.storage.hooks import COUNTED
from rollcall_cli.local.intrinsics import read_yaml
from tests.support.deployment import ROOT, SAM_PYTHON, as_list, resource_text, stack

pytestmark = pytest.mark.engine


GUIDE = (ROOT / "docs/operations/deploying.md").read_text("utf-8")
TEMPLATE = read_yaml((ROOT / "template.yaml").read_text("utf-8"))
EVERYTHING = {
    "ReconcileRepairs": "true",
    "QuarantineDays": "30",
    "QueryConcurrency": "5",
    "AuthorizerConcurrency": "6",
    "UpdaterConcurrency": "7",
    "AccessLogs": "true",
    "TokenRequestsPerMinute": "600",
    "AddressRequestsPerMinute": "1200",
    "KeepDetail": "false",
    "AllowedOrigins": "https://a.example,https://b.example",
    "Dashboard": "true",
}
VARIANTS = pytest.mark.parametrize("parameters", [{}, EVERYTHING], ids=["defaults", "everything"])
# Properties that name a resource in its account or region, for the types of this template.
NAMES = {
    "AWS::ApiGateway::RestApi": "Name",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Events::Rule": "Name",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Lambda::LayerVersion": "LayerName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::WAFv2::WebACL": "Name",
}
# Types without a name of their own: they belong to another resource of the stack.
NAMELESS = {
    "AWS::KMS::Key",
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::Stage",
    "AWS::CloudFormation::Stack",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Permission",
    "AWS::S3::BucketPolicy",
    "AWS::WAFv2::WebACLAssociation",
}


def table_below(heading: str) -> list[list[str]]:
    """The rows of the first table below a heading of the guide, without its head."""
    section = GUIDE.split(f"\n{heading}\n", 1)[1]
    rows = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE)
    assert rows is not None
    return [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows[0].splitlines()[2:]]


def test_what_sam_uploads_has_no_yaml_aliases() -> None:
    """CloudFormation refuses them. SAM writes out what two places of the template share."""
    stack()  # skips without SAM
    rewrite = (
        "import sys; from samcli.yamlhelper import yaml_dump, yaml_parse;"
        "sys.stdout.write(yaml_dump(yaml_parse(sys.stdin.read())))"
    )
    uploaded = subprocess.run(
        [SAM_PYTHON, "-c", rewrite],
        input=(ROOT / "template.yaml").read_text("utf-8"),
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "Access-Control-Allow-Origin" in uploaded
    tokens = yaml.scan(uploaded)
    assert not [t for t in tokens if isinstance(t, yaml.AliasToken | yaml.AnchorToken)]


@pytest.mark.slow
def test_the_guide_uses_options_that_sam_has() -> None:
    commands = set(re.findall(r"^\.venv-sam/bin/sam (.+)$", GUIDE, re.MULTILINE))
    assert {command.split()[0] for command in commands} == {"deploy", "delete", "list"}
    stack()  # skips without SAM
    for command in commands:
        words = command.split(" --")[0].split()
        options = set(re.findall(r"--[a-z-]+", command))
        help_text = subprocess.run(
            [SAM_PYTHON.with_name("sam"), *words, "--help"],
            env=os.environ | {"SAM_CLI_TELEMETRY": "0"},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        assert options <= set(re.findall(r"--[a-z0-9-]+", help_text)), command


# -------------------------------------------------------------------- permissions
@VARIANTS
def test_every_function_has_a_role_of_its_own(parameters: dict[str, str]) -> None:
    deployed = stack(**parameters)
    roles = [
        function["Properties"]["Role"]["Fn::GetAtt"][0]
        for function in deployed.of_type("AWS::Lambda::Function").values()
    ]
    assert len(roles) == len(set(roles))
    assert set(roles) == set(deployed.of_type("AWS::IAM::Role"))
    for role in roles:
        (statement,) = deployed.resources[role]["Properties"]["AssumeRolePolicyDocument"][
            "Statement"
        ]
        assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}


@VARIANTS
def test_roles_name_resources_of_the_stack(parameters: dict[str, str]) -> None:
    """No managed policy of AWS, and no wildcard but for the actions that know no resource."""
    deployed = stack(**parameters)
    for role in deployed.of_type("AWS::IAM::Role"):
        for statement in deployed.statements(role):
            actions = as_list(statement["Action"])
            assert not any("*" in action for action in actions)
            for resource in map(resource_text, as_list(statement["Resource"])):
                services = {action.split(":")[0] for action in actions}
                if services == {"xray"}:
                    assert set(actions) == {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
                    assert resource == "*"
                elif services == {"logs"}:
                    assert resource == "FunctionLogs.Arn"
                else:
                    assert resource.split(".")[0] in deployed.resources


def test_only_the_updater_reads_the_stream() -> None:
    deployed = stack()
    readers = {
        (role, resource_text(statement["Resource"]))
        for role in deployed.of_type("AWS::IAM::Role")
        for statement in deployed.statements(role)
        if "dynamodb:GetRecords" in as_list(statement["Action"])
    }
    assert readers == {("UpdateRollupsRole", "RecordsTable.StreamArn")}


def test_what_receives_deliveries_changes_counts_and_decrypts_secrets_of_hooks_only() -> None:
    role = stack().resources["ReceiveHookRole"]["Properties"]
    conditions = {
        statement["Action"]: statement["Condition"]
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Action"] in ("dynamodb:UpdateItem", "kms:Decrypt")
    }
    written = conditions["dynamodb:UpdateItem"]["ForAllValues:StringEquals"]
    assert set(written["dynamodb:Attributes"]) == {keys.PK, keys.SK, "last_at_ms", *COUNTED}
    assert conditions["kms:Decrypt"] == {"StringLike": {"kms:EncryptionContext:rollcall:hook": "*"}}


# ------------------------------------------------------------ a creation that fails
@VARIANTS
def test_what_a_failed_creation_leaves_behind(parameters: dict[str, str]) -> None:
    """The guide's table, derived for a failure of each resource.

    CloudFormation rolls back what it created. It keeps what has the deletion policy Retain; a
    resource that needs the failed one was never begun.
    """
    deployed = stack(**parameters)
    rows = dict(table_below("### When the first deployment fails"))
    documented = {
        name: set(re.findall(r"`(\w+)`", cell))
        for key, cell in rows.items()
        for name in re.findall(r"`(\w+)`", key)
    }
    others = set(re.findall(r"`(\w+)`", rows["any other resource"]))
    for failed in deployed.resources:
        left = {
            name
            for name, resource in deployed.resources.items()
            if resource.get("DeletionPolicy") == "Retain"
            and name != failed
            and failed not in deployed.needs(name)
        }
        assert documented.pop(failed, others) == left, failed
    assert not documented


@VARIANTS
def test_nothing_has_a_name_that_a_second_attempt_would_meet(parameters: dict[str, str]) -> None:
    """CloudFormation names everything, and the rest has the stack's name in it."""
    for name, resource in stack(**parameters).resources.items():
        kind = resource["Type"]
        assert (kind in NAMES) != (kind in NAMELESS), kind
        given = resource["Properties"].get(NAMES.get(kind, ""))
        assert given is None or "${AWS::StackName}" in json.dumps(given), name


def test_data_outlives_the_stack() -> None:
    kept = {
        name
        for name, resource in stack().resources.items()
        if resource.get("DeletionPolicy") in ("Retain", "RetainExceptOnCreate")
    }
    assert kept == {
        "RecordsTable",
        "AnalyticsTable",
        "FailureBucket",
        "FailureBucketPolicy",
        "HookKey",
    }
    assert all(stack().resources[name]["UpdateReplacePolicy"] == "Retain" for name in kept)


def test_a_protected_table_never_stops_a_rollback() -> None:
    """CloudFormation cannot delete a protected table: it has to leave it where it is."""
    for table in stack().of_type("AWS::DynamoDB::Table").values():
        assert table["Properties"]["DeletionProtectionEnabled"] is True
        assert table["DeletionPolicy"] == "Retain"


def test_tables_with_indexes_are_created_one_after_the_other() -> None:
    deployed = stack()
    tables = list(deployed.of_type("AWS::DynamoDB::Table"))
    for one in tables:
        for other in tables:
            assert one == other or one in deployed.needs(other) or other in deployed.needs(one)


# --------------------------------------------------------------------- parameters
def test_the_guide_lists_every_parameter_with_its_default() -> None:
    listed = [
        (name.strip("`"), default.strip("`")) for name, default, _ in table_below("## Parameters")
    ]
    declared = [(name, str(each["Default"])) for name, each in TEMPLATE["Parameters"].items()]
    assert listed == declared


def test_defaults_need_nothing_that_a_new_account_lacks() -> None:
    """No reserved concurrency, no role of the account for access logs, no web ACL to pay."""
    deployed = stack()
    for function in deployed.of_type("AWS::Lambda::Function").values():
        assert "ReservedConcurrentExecutions" not in function["Properties"]
    (stage,) = deployed.of_type("AWS::ApiGateway::Stage").values()
    assert "AccessLogSetting" not in stage["Properties"]
    assert not deployed.of_type("AWS::WAFv2::WebACL")
    assert not deployed.of_type("AWS::WAFv2::WebACLAssociation")


def test_each_parameter_reserves_concurrency_for_its_functions() -> None:
    reserved = {
        name: each["Properties"]["ReservedConcurrentExecutions"]["Ref"]
        for name, each in stack(**EVERYTHING).of_type("AWS::Lambda::Function").items()
        if "ReservedConcurrentExecutions" in each["Properties"]
    }
    readers = {
        name
        for name, each in TEMPLATE["Resources"].items()
        if "ROLLCALL_MOST_LEDGER_ROWS" in json.dumps(each)
    }
    assert reserved == {
        "AuthorizeRequestFunction": "AuthorizerConcurrency",
        "UpdateRollupsFunction": "UpdaterConcurrency",
    } | dict.fromkeys(readers, "QueryConcurrency")


def test_access_logs_hold_no_token_no_path_and_no_body() -> None:
    (stage,) = stack(**EVERYTHING).of_type("AWS::ApiGateway::Stage").values()
    setting = stage["Properties"]["AccessLogSetting"]
    assert setting["DestinationArn"] == {"Fn::GetAtt": ["AccessLogGroup", "Arn"]}
    assert set(json.loads(setting["Format"]).values()) == {
        "$context.requestTime",
        "$context.requestId",
        "$context.identity.sourceIp",
        "$context.httpMethod",
        "$context.resourcePath",
        "$context.status",
        "$context.responseLength",
        "$context.responseLatency",
        "$context.error.responseType",
        "$context.authorizer.org_id",
        "$context.authorizer.token_id",
    }


@pytest.mark.parametrize(
    ("parameters", "rules"),
    [
        ({"TokenRequestsPerMinute": "600"}, ["token"]),
        ({"AddressRequestsPerMinute": "1200"}, ["address"]),
        (EVERYTHING, ["token", "address"]),
    ],
)
def test_rate_limits(parameters: dict[str, str], rules: list[str]) -> None:
    deployed = stack(**parameters)
    (acl,) = deployed.of_type("AWS::WAFv2::WebACL").values()
    assert [rule["Name"] for rule in acl["Properties"]["Rules"]] == rules
    (association,) = deployed.of_type("AWS::WAFv2::WebACLAssociation").values()
    (stage,) = deployed.of_type("AWS::ApiGateway::Stage")
    place = association["Properties"]["ResourceArn"]["Fn::Sub"]
    assert place.endswith(f"::/restapis/${{Api}}/stages/${{{stage}}}")
    for name, body in acl["Properties"]["CustomResponseBodies"].items():
        assert_gateway_body(body["Content"], 429)
        for rule in acl["Properties"]["Rules"]:
            sent = rule["Action"]["Block"]["CustomResponse"]
            assert sent == {"ResponseCode": 429, "CustomResponseBodyKey": name}


def test_old_versions_and_quarantined_records_have_an_age() -> None:
    def rules(**parameters: str) -> dict[str, Any]:
        (bucket,) = stack(**parameters).of_type("AWS::S3::Bucket").values()
        found = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
        assert all(rule["Status"] == "Enabled" for rule in found)
        return {rule.get("Prefix", ""): rule for rule in found}

    assert set(rules()) == {""}
    assert rules()[""]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert "ExpirationInDays" not in rules()[""]
    expiring = rules(QuarantineDays="30")
    assert set(expiring) == {"", "quarantine/", "hooks/"}
    for prefix in ("quarantine/", "hooks/"):
        assert expiring[prefix]["ExpirationInDays"] == {"Ref": "QuarantineDays"}


# --------------------------------------------------------------- gateway responses
def assert_gateway_body(text: str, status: int | None) -> None:
    body = json.loads(text.replace("$context.requestId", "id"))
    assert list(body) == ["status_code", "message", "error", "detail"]
    assert body["status_code"] == status
    assert "$" not in json.dumps(body)


def test_every_gateway_response_states_the_status_that_it_is_sent_with() -> None:
    responses = TEMPLATE["Resources"]["Api"]["Properties"]["GatewayResponses"]
    model = botocore.session.get_session().get_service_model("apigateway")
    assert set(responses) == set(model.shape_for("GatewayResponseType").enum)
    for kind, response in responses.items():
        status = int(response["StatusCode"]) if "StatusCode" in response else None
        assert (status is None) == kind.startswith("DEFAULT_"), kind
        assert_gateway_body(response["ResponseTemplates"]["application/json"], status)


def test_a_token_that_cannot_be_checked_is_503() -> None:
    responses = TEMPLATE["Resources"]["Api"]["Properties"]["GatewayResponses"]
    unavailable = {kind for kind, each in responses.items() if each.get("StatusCode") == "503"}
    assert unavailable == {"AUTHORIZER_FAILURE", "AUTHORIZER_CONFIGURATION_ERROR"}
    for kind in unavailable:
        sent = responses[kind]["ResponseParameters"]["Headers"]["Retry-After"]
        assert sent == f"'{RETRY_AFTER_SECONDS}'"


# ------------------------------------------------------------- cross-origin requests
ONE = {"AllowedOrigins": "https://a.example"}
PUBLIC = {"/v1/health", "/v1/hooks/{provider}/{hook_id}"}  # paths that take no token
ALLOW = "gatewayresponse.header.Access-Control-Allow-Origin"
RETRY_AFTER = "gatewayresponse.header.Retry-After"
EXPOSE = "gatewayresponse.header.Access-Control-Expose-Headers"


def api_body(**parameters: str) -> dict[str, Any]:
    (api,) = stack(**parameters).of_type("AWS::ApiGateway::RestApi").values()
    return dict(api["Properties"]["Body"])


def gateway_headers(**parameters: str) -> list[dict[str, Any]]:
    responses = api_body(**parameters)["x-amazon-apigateway-gateway-responses"].values()
    return [each.get("responseParameters", {}) for each in responses]


def test_by_default_there_is_no_preflight_and_no_header() -> None:
    assert not any("options" in path for path in api_body()["paths"].values())
    assert not any(set(headers) - {RETRY_AFTER} for headers in gateway_headers())


@pytest.mark.parametrize("parameters", [ONE, EVERYTHING, {"AllowedOrigins": "*"}])
def test_every_route_has_a_preflight_without_an_authorizer(parameters: dict[str, str]) -> None:
    paths = api_body(**parameters)["paths"]
    for path, methods in paths.items():
        assert len(methods) >= 2, f"{path} has a preflight and no function"
        assert "options" in methods, f"{path} needs a preflight in the template's DefinitionBody"
        assert "security" not in methods["options"]
        assert methods["options"]["x-amazon-apigateway-integration"]["type"] == "mock"
        assert all(
            method["security"] == [{"TokenAuthorizer": []}]
            for name, method in methods.items()
            if name != "options" and path not in PUBLIC
        )


def test_a_preflight_is_text_beside_binary_bodies() -> None:
    """API Gateway answers 500 where a mapping template meets bytes."""
    body = api_body(**ONE)
    assert body["x-amazon-apigateway-binary-media-types"] == ["*/*"]
    for methods in body["paths"].values():
        mock = methods["options"]["x-amazon-apigateway-integration"]
        assert mock["contentHandling"] == "CONVERT_TO_TEXT"
        assert mock["responses"]["default"]["contentHandling"] == "CONVERT_TO_TEXT"


def test_a_preflight_needs_no_function_and_no_permission() -> None:
    kinds = ("AWS::Lambda::Function", "AWS::Lambda::Permission", "AWS::IAM::Role")
    for kind in kinds:
        assert set(stack(**ONE).of_type(kind)) == set(stack().of_type(kind))


def test_other_origins_reach_the_stage() -> None:
    """The deployment is named after the time: SAM would name it after the text of the template."""
    assert TEMPLATE["Resources"]["Api"]["Properties"]["AlwaysDeploy"] is True


@pytest.mark.parametrize(
    ("allowed", "sent"),
    [
        ("https://a.example", {"Fn::Sub": "'${AllowedOrigins}'"}),
        ("*", {"Fn::Sub": "'${AllowedOrigins}'"}),
        (EVERYTHING["AllowedOrigins"], "'*'"),
    ],
)
def test_every_error_of_the_gateway_can_be_read_by_an_allowed_page(allowed: str, sent: Any) -> None:
    exposed = f"'{','.join(EXPOSED_HEADERS)}'"
    for headers in gateway_headers(AllowedOrigins=allowed):
        assert headers.items() >= {ALLOW: sent, EXPOSE: exposed}.items()
        assert headers.keys() <= {ALLOW, EXPOSE, RETRY_AFTER}


def test_the_functions_know_the_allowed_origins() -> None:
    for function in stack(**ONE).of_type("AWS::Lambda::Function").values():
        variables = function["Properties"]["Environment"]["Variables"]
        assert variables["ROLLCALL_ALLOWED_ORIGINS"] == {"Ref": "AllowedOrigins"}


def test_what_writes_records_knows_whether_to_keep_details() -> None:
    functions = stack(KeepDetail="false").of_type("AWS::Lambda::Function")
    for name in ("IngestRecordsFunction", "ReceiveHookFunction"):
        variables = functions[name]["Properties"]["Environment"]["Variables"]
        assert variables["ROLLCALL_KEEP_DETAIL"] == {"Ref": "KeepDetail"}


# ------------------------------------------------------------------- architecture
def test_the_architecture_is_stated_once() -> None:
    text = (ROOT / "template.yaml").read_text("utf-8")
    assert len(re.findall(r"x86_64|arm64", text)) == 1
    functions = stack().of_type("AWS::Lambda::Function").values()
    stated = TEMPLATE["Globals"]["Function"]["Architectures"]
    assert all(each["Properties"]["Architectures"] == stated for each in functions)


@pytest.mark.parametrize(("arch", "machine"), [("x86_64", "x86_64"), ("arm64", "aarch64")])
def test_the_layer_follows_the_architecture(arch: str, machine: str, tmp_path: Path) -> None:
    commands = layer_commands(tmp_path, f"ARCH={arch}")
    assert commands.returncode == 0, commands.stderr
    platforms = re.findall(r"--platform (\S+)", commands.stdout)
    assert platforms
    assert {platform.split("_", 1)[0] for platform in platforms} <= {"manylinux2014", "manylinux"}
    assert all(platform.endswith(f"_{machine}") for platform in platforms)


@pytest.mark.parametrize(("given", "arch"), [([], None), (["ARCH=arm64"], "arm64")])
def test_the_build_passes_on_the_architecture(given: list[str], arch: str | None) -> None:
    (stated,) = TEMPLATE["Globals"]["Function"]["Architectures"]
    commands = make("build", *given, folder=ROOT)
    assert commands.returncode == 0, commands.stderr
    assert f" ARCH={arch or stated} " in commands.stdout


@pytest.mark.parametrize("given", [[], ["ARCH=sparc"]])
def test_an_unknown_architecture_is_refused(given: list[str], tmp_path: Path) -> None:
    commands = layer_commands(tmp_path, *given)
    assert commands.returncode != 0
    assert "not x86_64 or arm64" in commands.stderr


def layer_commands(artifacts: Path, *given: str) -> subprocess.CompletedProcess[str]:
    """What builds the layer."""
    target = ("build-RollcallLayer", f"ARTIFACTS_DIR={artifacts}")
    return make(*target, *given, folder=ROOT / "layers/rollcall")


def make(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What make would run for these arguments."""
    return subprocess.run(
        ["make", "-n", *arguments],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin"},
        check=False,
        capture_output=True,
        text=True,
    )
