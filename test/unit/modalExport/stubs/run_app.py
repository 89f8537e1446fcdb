"""Runs a Modal app as `modal run` would, against the stub beside this file. Usage: run_app.py FILE [ARGUMENT]…"""

import importlib.util
import sys

import modal

spec = importlib.util.spec_from_file_location("the_app", sys.argv[1])
the_app = importlib.util.module_from_spec(spec)
sys.modules["the_app"] = the_app
spec.loader.exec_module(the_app)
args, kwargs = modal.parse_command_line(the_app.app.main, sys.argv[2:])
the_app.app.main(*args, **kwargs)
