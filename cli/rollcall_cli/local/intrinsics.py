"""CloudFormation's YAML tags and functions, as far as template.yaml needs them.

`!Ref`, `!Sub` and `!GetAtt` (and their long forms) are resolved. Any other function in a value that
the local stack reads is an error; parts that it does not read (alarms, policies) may use any.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from rollcall_cli.errors import CommandError

ACCOUNT_ID = "123456789012"
REGION = "us-east-1"

_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]*)\}")


class TemplateError(CommandError):
    """template.yaml has something that the local stack does not support."""


class _CloudFormationLoader(yaml.SafeLoader):
    """Safe YAML in which `!Name value` is read as `{"Fn::Name": value}`, as CloudFormation does."""


def _construct_tag(loader: yaml.SafeLoader, name: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


_CloudFormationLoader.add_multi_constructor("!", _construct_tag)


def read_yaml(text: str) -> dict[str, Any]:
    """The template as plain data, its functions in long form; raises TemplateError."""
    try:
        # A SafeLoader with a constructor that builds plain data.
        document = yaml.load(text, Loader=_CloudFormationLoader)  # noqa: S506
    except yaml.YAMLError as error:
        raise TemplateError(f"the template is not YAML: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
        raise TemplateError("the template has no Resources")
    return document


class Resolver:
    """Replaces the functions in template values with their values on this machine."""

    def __init__(
        self,
        document: Mapping[str, Any],
        *,
        stack_name: str,
        parameters: Mapping[str, str] | None = None,
    ) -> None:
        self._resources: dict[str, Any] = document["Resources"]
        self._values: dict[str, Any] = {
            "AWS::StackName": stack_name,
            "AWS::Region": REGION,
            "AWS::AccountId": ACCOUNT_ID,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
        }
        declared = document.get("Parameters") or {}
        for name in parameters or {}:
            if name not in declared:
                raise TemplateError(f"the template has no parameter {name}")
        for name, parameter in declared.items():
            if name in (parameters or {}):
                self._values[name] = (parameters or {})[name]
            elif "Default" in parameter:
                self._values[name] = parameter["Default"]

    def resolve(self, value: Any, where: str) -> Any:
        """`value` with every function replaced. Raises TemplateError, which names `where`."""
        if isinstance(value, list):
            return [self.resolve(entry, f"{where}[{n}]") for n, entry in enumerate(value)]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (name, argument), *_ = value.items()
            if name == "Ref":
                return self._reference(argument, where)
            if name == "Fn::GetAtt":
                return self._attribute(argument, where)
            if name == "Fn::Sub":
                return self._substitute(argument, where)
            if isinstance(name, str) and (name.startswith("Fn::") or name == "Condition"):
                raise TemplateError(
                    f"{where}: the local stack does not support the function {name}"
                )
        return {key: self.resolve(entry, f"{where}.{key}") for key, entry in value.items()}

    def _reference(self, name: Any, where: str) -> Any:
        if name in self._values:
            return self._values[name]
        resource = self._resources.get(name)
        if resource is None:
            raise TemplateError(f"{where}: the template has no {name}")
        properties = resource.get("Properties") or {}
        stack = self._values["AWS::StackName"]
        match resource["Type"]:
            case "AWS::DynamoDB::Table":
                given = properties.get("TableName", f"{stack}-{name.removesuffix('Table')}".lower())
            case "AWS::S3::Bucket":
                given = properties.get("BucketName", f"{stack}-{name}".lower())
            case "AWS::Serverless::Function":
                given = properties.get("FunctionName", f"{stack}-{name}")
            case _:
                return name
        return self.resolve(given, f"{name}.Properties")

    def _attribute(self, argument: Any, where: str) -> str:
        name, _, attribute = (
            argument.partition(".")
            if isinstance(argument, str)
            else (argument[0], ".", argument[1])
        )
        resource = self._resources.get(name)
        if resource is None:
            raise TemplateError(f"{where}: the template has no {name}")
        match resource["Type"], attribute:
            case "AWS::DynamoDB::Table", "Arn":
                return self._arn("dynamodb", f"table/{self._reference(name, where)}")
            case "AWS::DynamoDB::Table", "StreamArn":
                return self._arn("dynamodb", f"table/{self._reference(name, where)}/stream/local")
            case "AWS::Serverless::Function", "Arn":
                return self._arn("lambda", f"function:{self._reference(name, where)}")
            case "AWS::S3::Bucket", "Arn":
                return f"arn:aws:s3:::{self._reference(name, where)}"
            case kind, _:
                raise TemplateError(
                    f"{where}: the local stack does not support attribute {attribute} of {name} ({kind})"
                )

    def _substitute(self, argument: Any, where: str) -> str:
        text, local = (argument, {}) if isinstance(argument, str) else (argument[0], argument[1])

        def replace(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if name in local:
                return str(self.resolve(local[name], where))
            if "." in name:
                return self._attribute(name, where)
            return str(self._reference(name, where))

        return _PLACEHOLDER.sub(replace, text)

    @staticmethod
    def _arn(service: str, resource: str) -> str:
        return f"arn:aws:{service}:{REGION}:{ACCOUNT_ID}:{resource}"
