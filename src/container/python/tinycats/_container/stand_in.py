"""`import modal` in a container: a stand-in, so that a file made for Modal runs here unchanged, and here only."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys


class _ModalFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, fullname, path=None, target=None):
        if fullname.partition(".")[0] != "modal":
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        from tinycats import _modal

        module.__dict__.update(_modal.names())
        module.__getattr__ = _modal.anything


def install_modal():
    sys.meta_path.insert(0, _ModalFinder())
