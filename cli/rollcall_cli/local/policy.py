"""Evaluate the policy that an authorizer returned, as IAM does for execute-api:Invoke. Pure."""

from __future__ import annotations

import re
from typing import Any


class MalformedPolicy(ValueError):
    """The authorizer's policy cannot be evaluated, so nothing is allowed."""


def allows(policy: Any, arn: str) -> bool:
    """Whether the policy allows `arn`: an Allow matches and no Deny does.

    Raises MalformedPolicy for anything that is not supported here.
    """
    if not isinstance(policy, dict):
        raise MalformedPolicy("policyDocument must be an object")
    statements = policy.get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not statements:
        raise MalformedPolicy("policyDocument.Statement must have at least one statement")
    effects = [effect for effect in map(lambda s: _effect(s, arn), statements) if effect]
    return "Allow" in effects and "Deny" not in effects


def _effect(statement: Any, arn: str) -> str | None:
    """The statement's effect if it applies to this call, else None."""
    if not isinstance(statement, dict):
        raise MalformedPolicy("a statement must be an object")
    unknown = set(statement) - {"Sid", "Effect", "Action", "Resource"}
    if unknown:
        raise MalformedPolicy(f"unsupported statement keys: {', '.join(sorted(unknown))}")
    effect = statement.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise MalformedPolicy("Effect must be Allow or Deny")
    concerns_action = any(
        _matches(action.lower(), "execute-api:invoke") for action in _texts(statement, "Action")
    )
    concerns_resource = any(_matches(resource, arn) for resource in _texts(statement, "Resource"))
    return effect if concerns_action and concerns_resource else None


def _texts(statement: dict[str, Any], key: str) -> list[str]:
    value = statement.get(key)
    entries = [value] if isinstance(value, str) else value
    if isinstance(entries, list) and entries and all(isinstance(e, str) for e in entries):
        return entries
    raise MalformedPolicy(f"{key} must be a string or a list of strings")


def _matches(pattern: str, text: str) -> bool:
    wild = {"*": ".*", "?": "."}
    expression = "".join(wild.get(character, re.escape(character)) for character in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None
