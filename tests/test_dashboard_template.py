"""infrastructure/dashboard.yaml: who reads the bucket, which requests go where, and with which headers."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Any

import pytest

from rollcall_cli.local.dashboard import CACHED_BY_NAME, CHECKED_EACH_TIME, FOLDER, SECURITY_HEADERS
from rollcall_cli.local.intrinsics import read_yaml
from rollcall_cli.local.template import load_template
from tests.support.deployment import ROOT, stack

TEMPLATE = read_yaml((ROOT / "infrastructure/dashboard.yaml").read_text("utf-8"))
PARENT = read_yaml((ROOT / "template.yaml").read_text("utf-8"))
ROUTES = load_template(ROOT / "template.yaml").api.routes
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html and
# .../using-managed-origin-request-policies.html
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
ALL_VIEWER_EXCEPT_HOST_HEADER = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html
CACHED_ERRORS = {400, 403, 404, 405, 414, 500, 501, 502, 503, 504}


def properties(name: str) -> dict[str, Any]:
    return dict(TEMPLATE["Resources"][name]["Properties"])


CONFIG = properties("Distribution")["DistributionConfig"]


def behaviour(path: str) -> dict[str, Any]:
    """What CloudFront does with a path: the first pattern that matches, else the default."""
    matching = [each for each in CONFIG["CacheBehaviors"] if fnmatchcase(path, each["PathPattern"])]
    return dict((matching or [CONFIG["DefaultCacheBehavior"]])[0])


def sent_headers(policy: str) -> dict[str, str]:
    """The headers that a response headers policy sets, on every answer."""
    config = properties(policy)["ResponseHeadersPolicyConfig"]
    security = config["SecurityHeadersConfig"]
    parts = [*security.values(), *config["CustomHeadersConfig"]["Items"]]
    assert all(each["Override"] is True for each in parts)
    _, *keys = security["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::FindInMap"]
    hsts = security["StrictTransportSecurity"]["AccessControlMaxAgeSec"]
    return {each["Header"]: each["Value"] for each in config["CustomHeadersConfig"]["Items"]} | {
        "Content-Security-Policy": TEMPLATE["Mappings"]["Headers"][keys[0]][keys[1]],
        "Referrer-Policy": security["ReferrerPolicy"]["ReferrerPolicy"],
        "X-Content-Type-Options": "nosniff" if "ContentTypeOptions" in security else "",
        "Strict-Transport-Security": f"max-age={hsts}",
    }


# ------------------------------------------------------------------ headers
@pytest.mark.parametrize(
    ("path", "caching"),
    [
        ("/", CHECKED_EACH_TIME),
        ("/index.html", CHECKED_EACH_TIME),
        ("/licences.txt", CHECKED_EACH_TIME),
        ("/assets/dashboard-ABC.js", CACHED_BY_NAME),
    ],
)
def test_a_file_is_served_with_the_headers_of_the_local_stack(path: str, caching: str) -> None:
    policy = behaviour(path)["ResponseHeadersPolicyId"]["Ref"]
    https = {"Strict-Transport-Security": "max-age=31536000"}
    assert sent_headers(policy) == SECURITY_HEADERS | {"Cache-Control": caching} | https


def test_only_files_whose_name_changes_with_their_content_are_cached() -> None:
    assert CONFIG["DefaultRootObject"] == "index.html"
    assert behaviour("/index.html")["CachePolicyId"] == CACHING_DISABLED
    assert behaviour("/assets/dashboard-ABC.js")["CachePolicyId"] == CACHING_OPTIMIZED


# ------------------------------------------------------------------ the API
# API Gateway answers a path with a slash at its end as it answers the path without.
@pytest.mark.parametrize("end", ["", "/"])
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_reaches_the_api_with_its_token_and_is_not_cached(route: Any, end: str) -> None:
    found = behaviour(re.sub(r"\{\w+\}", "id", route.path) + end)
    assert found["TargetOriginId"] == "api"
    assert route.method in found["AllowedMethods"]
    assert found["CachePolicyId"] == CACHING_DISABLED
    assert found["OriginRequestPolicyId"] == ALL_VIEWER_EXCEPT_HOST_HEADER
    assert found["ViewerProtocolPolicy"] == "https-only"


def test_no_pattern_is_without_a_route_or_a_file() -> None:
    paths = [re.sub(r"\{\w+\}", "id", route.path) for route in ROUTES] + [
        "/assets/dashboard-ABC.js"
    ]
    for each in CONFIG["CacheBehaviors"]:
        assert any(fnmatchcase(path, each["PathPattern"]) for path in paths), each["PathPattern"]


def test_every_file_of_the_page_comes_from_the_bucket() -> None:
    paths = [path.relative_to(ROOT / FOLDER).as_posix() for path in (ROOT / FOLDER).rglob("*.*")]
    assert "index.html" in paths
    for path in ["", *paths]:
        assert behaviour(f"/{path}")["TargetOriginId"] == "files", path


def test_no_error_is_kept_for_another_caller() -> None:
    assert {
        each["ErrorCode"]: each["ErrorCachingMinTTL"] for each in CONFIG["CustomErrorResponses"]
    } == dict.fromkeys(CACHED_ERRORS, 0)


def test_the_origins_are_the_bucket_and_the_stage_over_https() -> None:
    files, api = CONFIG["Origins"]
    assert files["DomainName"] == {"Fn::GetAtt": "Files.RegionalDomainName"}
    assert files["OriginAccessControlId"] == {"Ref": "FilesAccess"}
    assert api["DomainName"] == {"Ref": "ApiDomain"}
    assert api["OriginPath"] == {"Fn::Sub": "/${ApiStage}"}
    assert api["CustomOriginConfig"] == {
        "OriginProtocolPolicy": "https-only",
        "OriginSSLProtocols": ["TLSv1.2"],
    }


# ------------------------------------------------------------------ the bucket
def test_only_the_distribution_reads_the_bucket() -> None:
    allowed, denied = properties("FilesPolicy")["PolicyDocument"]["Statement"]
    assert (allowed["Effect"], denied["Effect"]) == ("Allow", "Deny")
    assert allowed["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert allowed["Action"] == "s3:GetObject"
    assert allowed["Resource"] == {"Fn::Sub": "${Files.Arn}/*"}
    source = allowed["Condition"]["StringEquals"]["aws:SourceArn"]["Fn::Sub"]
    assert source.endswith(":distribution/${Distribution}")
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert denied["Principal"] == "*"


def test_the_bucket_is_private_and_encrypted() -> None:
    bucket = properties("Files")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert "WebsiteConfiguration" not in bucket
    access = properties("FilesAccess")["OriginAccessControlConfig"]
    assert (access["SigningBehavior"], access["SigningProtocol"]) == ("always", "sigv4")


# ------------------------------------------------------------------ the stack around it
def test_it_is_created_only_when_asked_for() -> None:
    assert not stack().of_type("AWS::CloudFormation::Stack")
    (nested,) = stack(Dashboard="true").of_type("AWS::CloudFormation::Stack").values()
    given = nested["Properties"]["Parameters"]
    assert set(given) == set(TEMPLATE["Parameters"])
    (stage,) = stack().of_type("AWS::ApiGateway::Stage")
    assert given["ApiStage"] == {"Ref": stage}


def test_outputs_and_template_of_the_nested_stack_exist() -> None:
    nested = PARENT["Resources"]["DashboardStack"]["Properties"]
    assert (ROOT / nested["TemplateURL"]).is_file()
    outputs = {
        name: each["Value"]["Fn::GetAtt"].removeprefix("DashboardStack.Outputs.")
        for name, each in PARENT["Outputs"].items()
        if name.startswith("Dashboard")
    }
    assert outputs == {"DashboardUrl": "Url", "DashboardBucketName": "BucketName"}
    assert set(outputs.values()) == set(TEMPLATE["Outputs"])


def test_no_name_meets_that_of_another_stack() -> None:
    """Policies and access controls need a name of their own in the account, of at most 64 characters."""
    unique = {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}
    names = [
        properties("FilesAccess")["OriginAccessControlConfig"]["Name"],
        *(
            properties(name)["ResponseHeadersPolicyConfig"]["Name"]
            for name in ("PageHeaders", "AssetHeaders")
        ),
    ]
    prefixes = [name["Fn::Join"][1][0] for name in names]
    assert [name["Fn::Join"] for name in names] == [["-", [each, unique]] for each in prefixes]
    assert len(set(prefixes)) == 3
    assert all(len(prefix) + 1 + 36 <= 64 for prefix in prefixes)


def test_the_guide_uploads_the_folder_that_the_local_stack_serves() -> None:
    guide = (ROOT / "docs/operations/deploying.md").read_text("utf-8")
    assert f"aws s3 sync {FOLDER} " in guide
