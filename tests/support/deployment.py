"""template.yaml as CloudFormation sees it: expanded by SAM, with its conditions decided."""

from __future__ import annotations

import functools
import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
# SAM's transform and the layer pin different releases of pydantic, so it runs beside the tests.
SAM_PYTHON = ROOT / ".venv-sam" / "bin" / "python"
_ABSENT = object()
_PLACEHOLDER = re.compile(r"\$\{([^!}.]+)(?:\.[^}]*)?\}")


@dataclass(frozen=True)
class Stack:
    """The resources of a stack, by logical id."""

    resources: Mapping[str, Any]

    def of_type(self, kind: str) -> dict[str, Any]:
        """The resources of one type."""
        return {name: each for name, each in self.resources.items() if each["Type"] == kind}

    def needs(self, name: str) -> set[str]:
        """Every resource that CloudFormation creates before this one."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            for needed in self._needs_directly(waiting.pop()) - found:
                found.add(needed)
                waiting.append(needed)
        return found

    def _needs_directly(self, name: str) -> set[str]:
        resource = self.resources[name]
        explicit = resource.get("DependsOn", [])
        named = {explicit} if isinstance(explicit, str) else set(explicit)
        return (named | set(_referred(resource.get("Properties", {})))) & set(self.resources)

    def statements(self, role: str) -> list[dict[str, Any]]:
        """What a role allows: its own statements and those of its managed policies."""
        properties = self.resources[role]["Properties"]
        managed = [self.resources[arn["Ref"]] for arn in properties.get("ManagedPolicyArns", [])]
        policies = properties.get("Policies", []) + [each["Properties"] for each in managed]
        return [each for policy in policies for each in policy["PolicyDocument"]["Statement"]]


def as_list(value: Any) -> list[Any]:
    """A policy's action or resource, which may be one or several."""
    return value if isinstance(value, list) else [value]


def resource_text(value: Any) -> str:
    """A resource of a policy: `RecordsTable.Arn`, `RecordsTable.Arn/index/GSI1` or as it is."""
    if isinstance(value, str):
        return value
    ((function, argument),) = value.items()
    if function == "Fn::GetAtt":
        return ".".join(argument)
    assert function == "Fn::Sub"
    return str(argument.replace("${", "").replace("}", ""))


@functools.cache
def stack(**parameters: str) -> Stack:
    """The stack that these parameters make. Skips the test where SAM is not installed."""
    if not SAM_PYTHON.exists():
        pytest.skip("SAM is not installed; `make validate` installs it")
    given = [f"{name}={value}" for name, value in parameters.items()]
    expansion = subprocess.run(
        [
            SAM_PYTHON,
            ROOT / "tests" / "support" / "expand_template.py",
            ROOT / "template.yaml",
            *given,
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    assert expansion.returncode == 0, expansion.stderr
    template = json.loads(expansion.stdout)
    values = {name: str(each.get("Default")) for name, each in template["Parameters"].items()}
    assert set(parameters) <= set(values)
    decided = _Decided(template["Conditions"], values | parameters)
    present = {
        name: resource
        for name, resource in template["Resources"].items()
        if decided.holds(resource.get("Condition"))
    }
    return Stack(decided.without_ifs(present))


@dataclass(frozen=True)
class _Decided:
    """Conditions, decided by the values of parameters."""

    conditions: Mapping[str, Any]
    values: Mapping[str, str]

    def holds(self, name: str | None) -> bool:
        return name is None or self._is_true(self.conditions[name])

    def _is_true(self, expression: dict[str, Any]) -> bool:
        ((function, argument),) = expression.items()
        match function:
            case "Condition":
                return self.holds(argument)
            case "Fn::Not":
                return not self._is_true(argument[0])
            case "Fn::Or":
                return any(map(self._is_true, argument))
            case "Fn::Equals":
                left, right = map(self._text, argument)
                return left == right
        raise AssertionError(f"the tests do not know the condition {function}")

    def _text(self, expression: Any) -> str:
        match expression:
            case {"Ref": name}:
                return self.values[name]
            case {"Fn::Select": [index, {"Fn::Split": [separator, text]}]}:
                return self._text(text).split(separator)[int(index)]
        return str(expression)

    def without_ifs(self, value: Any) -> Any:
        if isinstance(value, list):
            return [each for each in map(self.without_ifs, value) if each is not _ABSENT]
        if not isinstance(value, dict):
            return value
        if set(value) == {"Fn::If"}:
            condition, if_true, if_false = value["Fn::If"]
            return self.without_ifs(if_true if self.holds(condition) else if_false)
        if value == {"Ref": "AWS::NoValue"}:
            return _ABSENT
        kept = {key: self.without_ifs(each) for key, each in value.items()}
        return {key: each for key, each in kept.items() if each is not _ABSENT}


def _referred(value: Any) -> Iterator[str]:
    """The names in Ref, Fn::GetAtt and Fn::Sub."""
    if isinstance(value, list):
        for each in value:
            yield from _referred(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key == "Ref":
                yield each
            elif key == "Fn::GetAtt":
                yield each[0] if isinstance(each, list) else each.split(".")[0]
            elif key == "Fn::Sub":
                text, local = (each, {}) if isinstance(each, str) else each
                yield from set(_PLACEHOLDER.findall(text)) - set(local)
                yield from _referred(list(local.values()))
            else:
                yield from _referred(each)
