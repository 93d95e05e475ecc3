"""What the columns of a telephone exchange mean is up to its dial plan: rules for a map, from options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rollcall.mapping.maps import Map, Rule
from rollcall_cli.errors import CommandError
from rollcall_cli.importing.mapping.map_file import NamedMap

_CONTEXT, _TRUNK = "dcontext", "dstchannel"


@dataclass(frozen=True, slots=True)
class DialPlan:
    """Options of an import; lists are separated by commas, and may have wildcards."""

    inbound_context: str | None = None
    trunk: str | None = None
    space: str | None = None
    outcome: str | None = None

    def applied(self, named: NamedMap) -> NamedMap:
        """The map with the rules of these options. Raises CommandError where it has others."""
        fields = dict(named.map.fields)
        asked = []
        for field, column in (("space_token", self.space), ("outcome", self.outcome)):
            if column is not None:
                if field in fields or field in named.map.constants:
                    raise CommandError(f"--{field.partition('_')[0]}: {named.name} has a {field}")
                fields[field] = [Rule.model_validate({"from": column})]
                asked.append(field)
        if self.inbound_context is not None or self.trunk is not None:
            fields["direction"] = self._direction(named.map, named.name)
        changed = named.map.model_copy(update={"fields": fields})
        return replace(named, map=changed, content=named.content + repr(self), asked=tuple(asked))

    def _direction(self, chosen: Map, name: str) -> list[Rule]:
        rules = chosen.fields.get("direction", [])
        if not any(_CONTEXT in rule.when for rule in rules):
            raise CommandError(
                f"--inbound-context and --trunk: {name} has no direction by {_CONTEXT}"
            )
        if self.inbound_context is not None:
            contexts = _listed("--inbound-context", self.inbound_context)
            rules = [
                rule.model_copy(update={"when": rule.when | {_CONTEXT: contexts}})
                if _CONTEXT in rule.when
                else rule
                for rule in rules
            ]
        if self.trunk is not None:
            when = {_TRUNK: _channels(_listed("--trunk", self.trunk))}
            rules = [*rules, Rule.model_validate({"value": "outbound", "when": when})]
        return rules


def _listed(option: str, text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise CommandError(f"{option} is empty")
    return names


def _channels(trunks: Sequence[str]) -> list[str]:
    """Patterns for the channels of trunks, which have a number after the name: PJSIP/acme-0000002a."""
    return [f"{trunk}-*" if "/" in trunk else f"*/{trunk}-*" for trunk in trunks]
