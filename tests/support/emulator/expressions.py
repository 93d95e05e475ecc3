"""DynamoDB's condition and update expressions, as far as Rollcall writes them.

Compiled once per text. What is not understood raises NotImplementedError, so that a request which
the real engine would evaluate otherwise is never taken for granted.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.support.emulator.items import Attribute, Attributes
from tests.support.emulator.refusals import InvalidUpdate

_Bound = Mapping[str, Any]
_Operand = Callable[[Attributes, _Bound, _Bound], Attribute | None]
Condition = Callable[[Attributes, _Bound, _Bound], bool]

_TOKEN = re.compile(r"\s*(#?\w+(?:\.#?\w+)*|:\w+|<=|>=|<>|[=<>(),+-])")
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}
_CLAUSES = ("SET", "REMOVE", "ADD")
_KEYS = {("PK",), ("SK",)}


class _Tokens:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _TOKEN.findall(text)
        if "".join(self._tokens) != re.sub(r"\s+", "", text):
            raise NotImplementedError(text)
        self._place = 0

    @property
    def next(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def take(self) -> str:
        token = self.next
        self._place += 1
        return token

    def expect(self, token: str) -> None:
        if self.take() != token:
            raise NotImplementedError(self._text)

    def took(self, token: str) -> bool:
        is_there = self.next == token
        self._place += is_there
        return is_there


@functools.lru_cache(maxsize=10_000)
def condition(text: str) -> Condition:
    """Whether an item, {} where there is none, meets a ConditionExpression."""
    tokens = _Tokens(text)
    compiled = _any_of(tokens)
    tokens.expect("")
    return compiled


def _any_of(tokens: _Tokens) -> Condition:
    parts = [_all_of(tokens)]
    while tokens.took("OR"):
        parts.append(_all_of(tokens))
    return lambda item, names, values: any(part(item, names, values) for part in parts)


def _all_of(tokens: _Tokens) -> Condition:
    parts = [_single(tokens)]
    while tokens.took("AND"):
        parts.append(_single(tokens))
    return lambda item, names, values: all(part(item, names, values) for part in parts)


def _single(tokens: _Tokens) -> Condition:
    if tokens.took("NOT"):
        inner = _single(tokens)
        return lambda item, names, values: not inner(item, names, values)
    if tokens.took("("):
        inner = _any_of(tokens)
        tokens.expect(")")
        return inner
    if tokens.next in ("attribute_exists", "attribute_not_exists"):
        wants = tokens.take() == "attribute_exists"
        tokens.expect("(")
        found = _operand(tokens)
        tokens.expect(")")
        return lambda item, names, values: (found(item, names, values) is not None) is wants
    if tokens.took("begins_with"):
        tokens.expect("(")
        found = _operand(tokens)
        tokens.expect(",")
        prefix = _operand(tokens)
        tokens.expect(")")
        return lambda item, names, values: _begins(
            found(item, names, values), prefix(item, names, values)
        )
    return _compared(tokens)


def _compared(tokens: _Tokens) -> Condition:
    left, sign = _operand(tokens), tokens.take()
    right = _operand(tokens)
    if sign in ("=", "<>"):
        wants = sign == "="
        return lambda item, names, values: (
            _equal(left(item, names, values), right(item, names, values)) is wants
        )
    if sign not in _COMPARISONS:
        raise NotImplementedError(sign)
    compare = _COMPARISONS[sign]

    def holds(item: Attributes, names: _Bound, values: _Bound) -> bool:
        one, other = left(item, names, values), right(item, names, values)
        if one is None or other is None or one.keys() != other.keys():
            return False
        return compare(_sortable(one), _sortable(other))

    return holds


def _operand(tokens: _Tokens) -> _Operand:
    token = tokens.take()
    if token == "if_not_exists":
        tokens.expect("(")
        first = _operand(tokens)
        tokens.expect(",")
        second = _operand(tokens)
        tokens.expect(")")
        return lambda item, names, values: first(item, names, values) or second(item, names, values)
    if token.startswith(":"):
        return lambda _item, _names, values: values[token]
    if not re.fullmatch(r"#?\w+(\.#?\w+)*", token) or tokens.next == "(":
        raise NotImplementedError(token)
    return lambda item, names, _values: _at(item, _path(token, names))


def _path(token: str, names: _Bound) -> tuple[str, ...]:
    """Names of a document path. A name behind an alias may hold a point, one written out may not."""
    if "." not in token:
        return (names[token] if token[0] == "#" else token,)
    return tuple(names[part] if part.startswith("#") else part for part in token.split("."))


def _at(item: Attributes, path: tuple[str, ...]) -> Attribute | None:
    found = item.get(path[0])
    for name in path[1:]:
        if found is None or "M" not in found:
            return None
        found = found["M"].get(name)
    return found


def _sortable(value: Attribute) -> Any:
    ((kind, content),) = value.items()
    if kind == "N":
        return _number(content)
    if kind == "S":
        return content.encode()
    raise NotImplementedError(kind)


def _number(text: str) -> int | Decimal:
    return int(text) if text.isdecimal() or text[1:].isdecimal() else Decimal(text)


def _equal(one: Attribute | None, other: Attribute | None) -> bool:
    if one is None or other is None:
        return False
    if one.keys() == other.keys() == {"N"}:
        return _number(one["N"]) == _number(other["N"])
    return one == other


def _begins(value: Attribute | None, prefix: Attribute | None) -> bool:
    if value is None or prefix is None or "S" not in value or "S" not in prefix:
        return False
    return bool(value["S"].startswith(prefix["S"]))


@dataclass(frozen=True, slots=True)
class _Term:
    clause: str
    path: str
    value: _Operand | None
    added: str = ""  # the value's name where the clause is ADD


@functools.lru_cache(maxsize=10_000)
def _terms(text: str) -> tuple[_Term, ...]:
    return tuple(_parsed_terms(_Tokens(text)))


def _parsed_terms(tokens: _Tokens) -> Iterator[_Term]:
    clause = ""
    while tokens.next:
        if tokens.next in _CLAUSES:
            clause = tokens.take()
        else:
            tokens.expect(",")
        path = tokens.take()
        match clause:
            case "SET":
                tokens.expect("=")
                yield _Term(clause, path, _set_value(tokens))
            case "ADD":
                added = tokens.take()
                if not added.startswith(":"):
                    raise NotImplementedError(added)
                yield _Term(clause, path, None, added)
            case "REMOVE":
                yield _Term(clause, path, None)
            case _:
                raise NotImplementedError(clause)


def _set_value(tokens: _Tokens) -> _Operand:
    left = _operand(tokens)
    if tokens.next not in ("+", "-"):
        return left
    sign = 1 if tokens.take() == "+" else -1
    right = _operand(tokens)
    return lambda item, names, values: _sum(
        left(item, names, values), right(item, names, values), sign
    )


def _sum(one: Attribute | None, other: Attribute | None, sign: int) -> Attribute:
    if one is None or other is None or "N" not in one or "N" not in other:
        raise InvalidUpdate("an operand is missing or is no number")
    return {"N": str(_number(one["N"]) + sign * _number(other["N"]))}


def updated(item: Attributes, text: str, names: _Bound, values: _Bound) -> Attributes:
    """A copy of an item with an UpdateExpression carried out; every term sees it as it was.

    Raises InvalidUpdate where the real thing refuses.
    """
    changed = dict(item)
    terms = _terms(text)
    paths = set()
    for term in terms:
        path = _path(term.path, names)
        paths.add(path)
        if term.added:
            value = values[term.added]
            stored = _at(item, path)
            value = value if stored is None else _sum(stored, value, 1)
        elif term.value is None:
            _put(changed, path, None)
            continue
        else:
            value = term.value(item, names, values)
        if value is None:
            raise InvalidUpdate(f"nothing to set {path} to")
        _put(changed, path, value)
    if len(paths) < len(terms) or paths & _KEYS:
        raise InvalidUpdate("one attribute twice, or a key")
    return changed


def _put(item: Attributes, path: tuple[str, ...], value: Attribute | None) -> None:
    name, *rest = path
    if rest:
        inner = item.get(name)
        if inner is None or "M" not in inner:
            raise InvalidUpdate(f"no map at {name}")
        content = dict(inner["M"])
        _put(content, tuple(rest), value)
        item[name] = {"M": content}
    elif value is None:
        item.pop(name, None)
    else:
        item[name] = value
