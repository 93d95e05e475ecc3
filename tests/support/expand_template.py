"""Expands template.yaml as CloudFormation's SAM transform does, without a network.

Runs on the interpreter of .venv-sam, which has the transform:
expand_template.py TEMPLATE [NAME=VALUE ...] writes the expanded template to stdout as JSON.
"""

import json
import sys
from pathlib import Path
from typing import Any

import boto3
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

# `sam deploy` uploads these and writes their place on S3 into the template.
LOCAL_FOLDERS = ("CodeUri", "ContentUri")


def expanded(template: dict[str, Any], parameters: dict[str, str]) -> Any:
    # As SAM writes it for CloudFormation: what two places of the file share is there twice.
    template = json.loads(json.dumps(template))
    for resource in template["Resources"].values():
        for name in LOCAL_FOLDERS:
            if name in resource.get("Properties", {}):
                resource["Properties"][name] = "s3://uploads/archive"
    # Without managed policies: a template that names one fails here.
    session = boto3.Session(region_name="eu-central-1")
    translator = Translator({}, Parser(), boto_session=session)
    return translator.translate(template, parameters)


if __name__ == "__main__":
    path, *given = sys.argv[1:]
    parameters = dict(each.split("=", 1) for each in given)
    json.dump(expanded(yaml_parse(Path(path).read_text("utf-8")), parameters), sys.stdout)
