"""Run `sam` with the given arguments, but print what each container would get instead of starting it.

For the Python of `.venv-sam`. Prints a line of JSON per function: its name and its environment.
"""

import json
from unittest import mock

from samcli.cli.main import cli
from samcli.commands.local.lib.local_api_service import LocalApiService
from samcli.local.docker.container_client_factory import ContainerClientFactory
from samcli.local.lambdafn.runtime import LambdaRuntime


def show(config):
    print(json.dumps({"function": config.name, "environment": config.env_vars.resolve()}))


def invoke(_runtime, config, *_arguments, **_options):
    show(config)


def start(service):
    for function in service.lambda_runner.provider.get_all():
        show(service.lambda_runner.get_invoke_config(function))


with (
    mock.patch.object(ContainerClientFactory, "create_client"),
    mock.patch.object(LambdaRuntime, "invoke", invoke),
    mock.patch.object(LocalApiService, "start", start),
):
    cli(prog_name="sam")
