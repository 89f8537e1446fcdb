"""Prints what an entrypoint offers to train with, as one JSON object, without running any of the user's code.

    python tinycats_describe.py <folder> <entrypoint>
"""

import json
import sys

from tinycats._describe.entrypoint import DescribeError, read_entrypoint


def describe(folder, entrypoint):
    try:
        made = read_entrypoint(folder, entrypoint)
    except DescribeError as error:
        answer = {"ok": False, "message": error.message, "file": error.file, "line": error.line}
        return {key: value for key, value in answer.items() if value is not None}
    recipe = {
        "name": made.name,
        "title": entrypoint,
        "description": made.description,
        "parameters": made.specs,
    }
    return {"ok": True, "recipe": recipe, "kind": made.kind, "enter": made.enter, "methods": made.methods}


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: tinycats_describe.py <folder> <entrypoint>")
    sys.stdout.write(json.dumps(describe(sys.argv[1], sys.argv[2]), ensure_ascii=True) + "\n")
