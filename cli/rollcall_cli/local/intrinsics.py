"""CloudFormation's YAML tags and functions, as far as template.yaml needs them.

`!Ref`, `!Sub`, `!GetAtt`, `!If`, `!Join`, `!Select` and `!Split` (and their long forms) are resolved.
Any other function in a value that the local stack reads is an error; parts that it does not read
(alarms, policies) may use any.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from rollcall_cli.errors import CommandError

ACCOUNT_ID = "123456789012"
REGION = "us-east-1"

_ABSENT: Any = object()  # the value of AWS::NoValue
_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]*)\}")


class TemplateError(CommandError):
    """template.yaml has something that the local stack does not support."""


# libyaml's loader reads the template in a tenth of the time; PyYAML may be built without it.
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _CloudFormationLoader(_SafeLoader):  # type: ignore[misc]
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
            "AWS::NoValue": _ABSENT,
        }
        self._conditions: dict[str, Any] = document.get("Conditions") or {}
        self._functions: dict[str, Callable[[Any, str], Any]] = {
            "Ref": self._reference,
            "Fn::GetAtt": self._attribute,
            "Fn::Sub": self._substitute,
            "Fn::If": self._choose,
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
        }
        declared = document.get("Parameters") or {}
        given = parameters or {}
        for name in given:
            if name not in declared:
                raise TemplateError(f"the template has no parameter {name}")
        for name, parameter in declared.items():
            if name in given:
                self._values[name] = _permitted(name, parameter, given[name])
            elif "Default" in parameter:
                self._values[name] = parameter["Default"]

    def resolve(self, value: Any, where: str) -> Any:
        """`value` with every function replaced. Raises TemplateError, which names `where`."""
        resolved = self._resolve(value, where)
        return None if resolved is _ABSENT else resolved

    def _resolve(self, value: Any, where: str) -> Any:
        if isinstance(value, list):
            entries = [self._resolve(entry, f"{where}[{n}]") for n, entry in enumerate(value)]
            return [entry for entry in entries if entry is not _ABSENT]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (name, argument), *_ = value.items()
            if name in self._functions:
                return self._functions[name](argument, where)
            _refuse_function(name, where)
        resolved = {key: self._resolve(entry, f"{where}.{key}") for key, entry in value.items()}
        return {key: entry for key, entry in resolved.items() if entry is not _ABSENT}

    # --------------------------------------------------------------- conditions
    def _choose(self, argument: Any, where: str) -> Any:
        condition, if_true, if_false = argument
        return self._resolve(if_true if self._holds(condition, where) else if_false, where)

    def _holds(self, condition: str, where: str) -> bool:
        if condition not in self._conditions:
            raise TemplateError(f"{where}: the template has no condition {condition} for Fn::If")
        return self._is_true(self._conditions[condition], f"Conditions.{condition}")

    def _is_true(self, expression: dict[str, Any], where: str) -> bool:
        ((function, argument),) = expression.items()
        match function:
            case "Condition":
                return self._holds(argument, where)
            case "Fn::Equals":
                left, right = (str(self.resolve(each, where)) for each in argument)
                return left == right
            case "Fn::Not":
                return not self._is_true(argument[0], where)
            case "Fn::Or":
                return any(self._is_true(each, where) for each in argument)
            case "Fn::And":
                return all(self._is_true(each, where) for each in argument)
        raise TemplateError(f"{where}: the local stack does not support the condition {function}")

    # ------------------------------------------------------------ texts and lists
    def _join(self, argument: Any, where: str) -> str:
        separator, entries = argument
        return str(separator).join(map(str, self.resolve(entries, where)))

    def _select(self, argument: Any, where: str) -> Any:
        index, entries = argument
        return self.resolve(entries, where)[int(index)]

    def _split(self, argument: Any, where: str) -> list[str]:
        separator, text = argument
        return str(self.resolve(text, where)).split(separator)

    # ------------------------------------------------------------------ resources
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
            case "AWS::KMS::Key", "Arn":
                return self._arn("kms", f"key/{self._reference(name, where)}")
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


def _refuse_function(name: Any, where: str) -> None:
    """Raises TemplateError if the key of an object is the name of a function."""
    if isinstance(name, str) and (name.startswith("Fn::") or name == "Condition"):
        raise TemplateError(f"{where}: the local stack does not support the function {name}")


def _permitted(name: str, parameter: Mapping[str, Any], value: str) -> str:
    """A parameter's value, if it follows the rule of the template. Raises TemplateError."""
    pattern = parameter.get("AllowedPattern")
    if pattern is not None and not re.fullmatch(pattern, value):
        rule = parameter.get("ConstraintDescription", f"a text that matches {pattern}")
        raise TemplateError(f"{name} must be {rule}, not {value!r}")
    return value
