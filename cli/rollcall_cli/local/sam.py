"""What `sam local` needs to run the functions in containers on a local stack: files and commands.

SAM resolves a function's variable as: the `--env-vars` file, else the shell, else the template; a
variable that the template does not declare is dropped, whichever of them sets it. The file made here
sets every declared variable, so nothing that a shell exports reaches a function.

Credentials and region are no variables of a template. SAM takes them from the shell, unless
`--profile` and `--region` are given, and calls AWS STS with them on every start. The profile made
here has credentials that open nothing, and an STS endpoint on which nothing listens.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from rollcall_cli.errors import CommandError
from rollcall_cli.local.intrinsics import REGION
from rollcall_cli.local.template_model import Template
from rollcall_cli.loopback import is_loopback

PROFILE = "rollcall-local"
ENDPOINT = "AWS_ENDPOINT_URL_DYNAMODB"
# The name under which a container finds the machine that it runs on.
HOST_OF_CONTAINERS = "host.docker.internal"
# A container keeps this folder until it ends, and nothing else can be written.
FAILURES_IN_CONTAINER = "file:///tmp/failures"

AWS_CONFIG = f"""\
# The profile of the `sam local` commands that `rollcall sam-local` prints.
# The keys open nothing, and nothing listens on port 9.
[profile {PROFILE}]
region = {REGION}
aws_access_key_id = local
aws_secret_access_key = local
max_attempts = 1
services = nowhere

[services nowhere]
sts =
  endpoint_url = http://127.0.0.1:9
"""


def endpoint_in_container(url: str) -> str:
    """The URL under which a container reaches an endpoint of this machine; others stay the same."""
    parts = urlsplit(url)
    if not is_loopback(parts.hostname or ""):
        return url
    port = f":{parts.port}" if parts.port else ""
    return parts._replace(netloc=f"{HOST_OF_CONTAINERS}{port}").geturl()


def variables(
    template: Template, stack_environment: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    """Every variable that the template declares, by function: the content of SAM's `--env-vars` file.

    `stack_environment` is what a process of this machine needs to work on the stack. CommandError if
    a function declares no endpoint: it would call AWS.
    """
    of_stack = {
        **stack_environment,
        ENDPOINT: endpoint_in_container(stack_environment[ENDPOINT]),
        "ROLLCALL_FAILURE_DESTINATION": FAILURES_IN_CONTAINER,
    }
    chosen = {}
    for function in template.functions.values():
        if ENDPOINT not in function.environment:
            raise CommandError(
                f"{template.path}: {function.logical_id} does not declare {ENDPOINT}"
            )
        chosen[function.logical_id] = {
            name: of_stack.get(name, value) for name, value in function.environment.items()
        }
    return chosen


def variables_text(chosen: Mapping[str, Mapping[str, str]]) -> str:
    """The text of SAM's `--env-vars` file."""
    return json.dumps(chosen, indent=2) + "\n"


@dataclass(frozen=True, slots=True)
class SamCommands:
    """The `sam local` commands for this machine, as lines to paste into a shell.

    Paths are as the shell will find them. `platform` is `sys.platform`.
    """

    program: str
    template: str
    variables_file: str
    aws_config: str
    platform: str = sys.platform

    def start_api(self, port: int) -> str:
        """The command that serves the API on loopback."""
        return self._command(["start-api"], ["--port", str(port)], ["--warm-containers", "LAZY"])

    def invoke(self, function: str, event: str) -> str:
        """The command that invokes one function, by logical id, with the event in a file."""
        return self._command(["invoke", function], ["--event", event])

    def _command(self, action: Sequence[str], *options: Sequence[str]) -> str:
        environment = f"AWS_CONFIG_FILE={shlex.quote(self.aws_config)} SAM_CLI_TELEMETRY=0"
        lines = [
            [self.program, "local", *action],
            *options,
            ["--template", self.template],
            ["--env-vars", self.variables_file],
            ["--profile", PROFILE, "--region", REGION],
        ]
        if self.platform == "linux":
            # Docker Desktop, on the other systems, knows the name by itself.
            lines.append(["--add-host", f"{HOST_OF_CONTAINERS}:host-gateway"])
        # An image that is missing is fetched all the same.
        lines.append(["--skip-pull-image"])
        return " \\\n  ".join([environment, *map(shlex.join, lines)])


def require_current_build(template: Template, built: Template) -> None:
    """Raise CommandError if SAM's build declares other functions or variables than the template."""

    def declared(of: Template) -> dict[str, set[str]]:
        return {name: set(function.environment) for name, function in of.functions.items()}

    if declared(built) != declared(template):
        raise CommandError(f"{built.path} was built from another template; run make build")


def path_from_here(path: Path) -> str:
    """The path, relative to the current folder if it is below it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
