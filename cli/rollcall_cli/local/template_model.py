"""The model of template.yaml: tables, functions, routes, gateway responses and stream mappings."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rollcall_cli.local.filters import EventFilter
from rollcall_cli.local.intrinsics import TemplateError


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its name and the arguments of CreateTable."""

    logical_id: str
    name: str
    create_arguments: dict[str, Any]

    @property
    def has_stream(self) -> bool:
        """Whether the table has a stream."""
        return "StreamSpecification" in self.create_arguments


@dataclass(frozen=True, slots=True)
class Function:
    """One Lambda function: its code and how it is run."""

    logical_id: str
    name: str
    arn: str
    folder: Path
    handler: str
    timeout_seconds: int
    memory_mb: int
    environment: dict[str, str]
    layer_folders: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Authorizer:
    """A REQUEST authorizer: its function, the headers that are the cache key, and the cache time."""

    function: str
    identity_headers: tuple[str, ...]
    ttl_seconds: int


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one resource path, and its function; without `authorizer`, it is public."""

    method: str
    path: str
    function: str
    authorizer: Authorizer | None


@dataclass(frozen=True, slots=True)
class MockRoute:
    """One method of one resource path that the gateway answers by itself, without an authorizer.

    `template` is the mapping template (VTL) of its response.
    """

    method: str
    path: str
    status: int
    headers: dict[str, str]
    template: str


@dataclass(frozen=True, slots=True)
class GatewayResponse:
    """The gateway's own answer to one kind of failure; `status` None: the status of the kind."""

    status: int | None
    body: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Api:
    """The REST API: its routes, and what the gateway decides by itself."""

    stage: str
    routes: tuple[Route, ...]
    mocks: tuple[MockRoute, ...]
    responses: dict[str, GatewayResponse]
    binary_media_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StreamMapping:
    """An event source mapping from a table's stream to a function; -1: no limit."""

    function: str
    table: Table
    batch_size: int
    window_seconds: float
    event_filter: EventFilter
    bisect_on_error: bool
    maximum_retries: int
    maximum_age_seconds: int
    reports_item_failures: bool


@dataclass(frozen=True, slots=True)
class Template:
    """Everything that the local stack uses of template.yaml."""

    path: Path
    tables: tuple[Table, ...]
    functions: dict[str, Function]
    api: Api
    mappings: tuple[StreamMapping, ...]

    def table(self, logical_id: str) -> Table:
        """The table with a logical id. Raises TemplateError if there is none."""
        for table in self.tables:
            if table.logical_id == logical_id:
                return table
        raise TemplateError(f"{self.path}: there is no table {logical_id}")
