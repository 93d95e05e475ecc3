"""A small project to run locally: a template like Rollcall's, and functions that show what they got."""

from __future__ import annotations

from pathlib import Path

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Greeting: {Type: String, Default: hello}
  Pages: {Type: Number, Default: 7}
Globals:
  Function:
    Handler: handler.lambda_handler
    Timeout: 5
    Layers: [!Ref SharedLayer]
    Environment:
      Variables:
        ROLLCALL_RECORDS_TABLE: !Ref RecordsTable
        ROLLCALL_ANALYTICS_TABLE: !Ref AnalyticsTable
        GREETING: !Ref Greeting
Resources:
  RecordsTable:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      DeletionProtectionEnabled: true
      PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}
      SSESpecification: {SSEEnabled: true}
      StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}
      AttributeDefinitions: &attributes
        - {AttributeName: PK, AttributeType: S}
        - {AttributeName: SK, AttributeType: S}
        - {AttributeName: GSI1PK, AttributeType: S}
        - {AttributeName: GSI1SK, AttributeType: S}
      KeySchema: &keys
        - {AttributeName: PK, KeyType: HASH}
        - {AttributeName: SK, KeyType: RANGE}
      GlobalSecondaryIndexes: &indexes
        - IndexName: GSI1
          KeySchema:
            - {AttributeName: GSI1PK, KeyType: HASH}
            - {AttributeName: GSI1SK, KeyType: RANGE}
          Projection: {ProjectionType: KEYS_ONLY}
  AnalyticsTable:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: *attributes
      KeySchema: *keys
      GlobalSecondaryIndexes: *indexes
  FailureBucket:
    Type: AWS::S3::Bucket
  SharedLayer:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layer}
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: live
      BinaryMediaTypes: ["application~1octet-stream"]
      Auth:
        DefaultAuthorizer: TokenAuthorizer
        Authorizers:
          TokenAuthorizer:
            FunctionArn: !GetAtt AuthorizeFunction.Arn
            FunctionPayloadType: REQUEST
            Identity: {Headers: [Authorization], ReauthorizeEvery: 60}
      GatewayResponses:
        MISSING_AUTHENTICATION_TOKEN:
          StatusCode: "404"
          ResponseTemplates: {application/json: '{"message":"no such route"}'}
        DEFAULT_5XX:
          ResponseTemplates: {application/json: '{"message":"failed","id":"$context.requestId"}'}
  AuthorizeFunction:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: functions/authorize}
  EchoFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/echo
      Events:
        Get: {Type: Api, Properties: {RestApiId: !Ref Api, Path: "/echo/{id}", Method: GET}}
        Deep: {Type: Api, Properties: {RestApiId: !Ref Api, Path: "/echo/{id}/deep", Method: GET}}
        Fixed: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /echo/fixed, Method: GET}}
        Post: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /echo, Method: POST}}
        Open:
          Type: Api
          Properties:
            {RestApiId: !Ref Api, Path: /open, Method: GET, Auth: {Authorizer: NONE}}
  AnswerFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/answer
      Timeout: 1
      Events:
        Post:
          Type: Api
          Properties:
            {RestApiId: !Ref Api, Path: /answer, Method: POST, Auth: {Authorizer: NONE}}
  UpdateFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/update
      Timeout: 20
      MemorySize: 1769
      Environment:
        Variables:
          PAGES: !Ref Pages
          ROLLCALL_FAILURE_DESTINATION: !Sub s3://${FailureBucket}
      Events:
        FactStream:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt RecordsTable.StreamArn
            StartingPosition: TRIM_HORIZON
            BatchSize: 1000
            MaximumBatchingWindowInSeconds: 1
            FunctionResponseTypes: [ReportBatchItemFailures]
            BisectBatchOnFunctionError: true
            MaximumRetryAttempts: 2
            MaximumRecordAgeInSeconds: 82800
            FilterCriteria:
              Filters:
                - Pattern: '{"dynamodb":{"Keys":{"SK":{"S":[{"prefix":"FACT#"}]}}}}'
            DestinationConfig:
              OnFailure: {Type: S3, Destination: !GetAtt FailureBucket.Arn}
"""

_AUTHORIZE = '''
"""Knows the tokens `Token good`, `Token none` (a policy that allows nothing) and `Token odd`."""

calls = 0


def lambda_handler(event, context):
    global calls
    calls += 1
    token = event["headers"]["Authorization"] if "Authorization" in event["headers"] else ""
    if token == "Token boom":
        raise RuntimeError("the store is away")
    if token == "Token odd":
        return {"principalId": "x", "policyDocument": {"Statement": []}}
    if token not in ("Token good", "Token none"):
        raise Exception("Unauthorized")
    effect = "Allow" if token == "Token good" else "Deny"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": "arn:aws:*"}
    return {
        "principalId": "org-1",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"org_id": "1", "epoch": 3, "is_test": True, "calls": calls},
    }
'''
_ECHO = '''
"""Answers with the event, and with what the layer and the environment say."""

import json
import os

import shared


def lambda_handler(event, context):
    seen = {
        "event": event,
        "greeting": os.environ["GREETING"],
        "layer": shared.NAME,
        "function": context.function_name,
        "milliseconds": context.get_remaining_time_in_millis(),
    }
    return {"statusCode": 200, "body": json.dumps(seen)}
'''
_ANSWER = '''
"""Answers with what the body says, raises, or sleeps."""

import base64
import json
import time


def lambda_handler(event, context):
    body = event["body"]
    order = json.loads(base64.b64decode(body) if event["isBase64Encoded"] else body)
    if "raise" in order:
        raise ValueError(order["raise"])
    time.sleep(order.get("sleep", 0))
    return order["answer"]
'''
_UPDATE = '''
"""Copies every fact it receives into the analytics table; a fact named poison is refused."""

import base64
import os

import boto3

analytics = os.environ["ROLLCALL_ANALYTICS_TABLE"]
dynamodb = boto3.client("dynamodb")


def lambda_handler(event, context):
    for record in event["Records"]:
        assert record["eventSource"] == "aws:dynamodb"
        change = record["dynamodb"]
        fact = change["Keys"]["SK"]["S"]
        if fact == "FACT#poison":
            return {"batchItemFailures": [{"itemIdentifier": change["SequenceNumber"]}]}
        data = change.get("NewImage", {}).get("data")
        item = {"PK": {"S": "COPY"}, "SK": {"S": fact}, "event": {"S": record["eventName"]}}
        if data:
            item["data"] = {"B": base64.b64decode(data["B"])}
        dynamodb.put_item(TableName=analytics, Item=item)
    return {"batchItemFailures": []}
'''


def write_project(folder: Path) -> Path:
    """Write the project below `folder`; returns the path of its template."""
    for name, code in (
        ("authorize", _AUTHORIZE),
        ("echo", _ECHO),
        ("answer", _ANSWER),
        ("update", _UPDATE),
    ):
        path = folder / "functions" / name / "handler.py"
        path.parent.mkdir(parents=True)
        path.write_text(code.lstrip(), encoding="utf-8")
    (folder / "layer").mkdir()
    (folder / "layer" / "shared.py").write_text('NAME = "shared"\n', encoding="utf-8")
    template = folder / "template.yaml"
    template.write_text(TEMPLATE, encoding="utf-8")
    return template
