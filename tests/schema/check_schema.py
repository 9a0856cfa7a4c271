#!/usr/bin/env python3
"""Validates run files against lib/report/run.schema.json, and that schema against its own rules: it describes every
key, allows exactly those it describes, and says of each that it does not require what its absence means.

Usage: check_schema.py FILE...      (no file: the schema only)
"""
# SPDX-License-Identifier: MIT
import json
import pathlib
import sys

try:
    import jsonschema
except ImportError:
    sys.exit("check_schema.py: no Python module jsonschema (run: pipelines/install-deps.sh test)")

SCHEMA = pathlib.Path(__file__).parents[2] / "lib/report/run.schema.json"


def loose_ends(node, where="schema"):
    """What the schema leaves open or does not explain."""
    if isinstance(node, list):
        for entry in node:
            yield from loose_ends(entry, where)
    if not isinstance(node, dict):
        return
    if "properties" in node:
        if node.get("additionalProperties") is not False:
            yield f"{where}: additionalProperties is not false"
        required = node.get("required", [])
        yield from (f"{where}.{key}: required and not described" for key in required if key not in node["properties"])
        for key, value in node["properties"].items():
            if "description" not in value:
                yield f"{where}.{key}: no description"
            elif key not in required and "absent" not in value["description"]:
                yield f"{where}.{key}: neither required nor told what its absence means"
            yield from loose_ends(value, f"{where}.{key}")
    for key, value in node.items():
        if key not in ("properties", "description", "required"):
            yield from loose_ends(value, f"{where}.{key}" if key != "items" else f"{where}[]")


def complaints(validator, path):
    try:
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
    except (OSError, ValueError) as problem:
        yield f"{path}: {problem}"
        return
    for error in sorted(validator.iter_errors(report), key=lambda e: list(map(str, e.absolute_path))):
        where = ".".join(map(str, error.absolute_path)) or "top level"
        yield f"{path}: {where}: {error.message[:300]}"


def main():
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    found = list(loose_ends(schema))
    for path in sys.argv[1:]:
        found += complaints(validator, path)
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


sys.exit(main())
