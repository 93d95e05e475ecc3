"""The operations of the API, by function, from the modules of `rollcall_cli.openapi.api`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any

from rollcall_cli.openapi import api
from rollcall_cli.openapi.operation import Operation

_MODULES = [
    importlib.import_module(f"{api.__name__}.{found.name}")
    for found in pkgutil.iter_modules(api.__path__)
]

OPERATIONS: Mapping[str, Operation] = {
    function: operation for module in _MODULES for function, operation in module.OPERATIONS.items()
}

# What each tag is for.
TAGS: Mapping[str, str] = {module.TAG: module.ABOUT for module in _MODULES}

# Changes to schemas that the types cannot express.
REFINEMENTS: tuple[Callable[[dict[str, Any]], None], ...] = tuple(
    module.refine for module in _MODULES if hasattr(module, "refine")
)
