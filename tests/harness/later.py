"""Modules that take long to import: a test process that only collects their tests does without them."""

import importlib
from typing import Any


class Later:
    """Stands for a module, which is imported when an attribute of it is first asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # pytest asks, of all that a file of tests holds
            raise AttributeError(name)
        return getattr(importlib.import_module(self._name), name)
