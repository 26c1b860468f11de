# SPDX-License-Identifier: Apache-2.0
"""Scripts for `ganno compare`: a file with the functions build_model and data."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

HOW_TO: Final = (
    "It needs two functions. build_model() returns a new, compiled model. data() "
    "returns the arguments of fit, such as dict(x=x, y=y, epochs=10, "
    "validation_data=(x_val, y_val)). A third one, test_data(), may return other "
    'samples to judge by. Keep the training itself below if __name__ == "__main__".'
)


class Script(NamedTuple):
    """The functions of a script.

    Args:
        build_model: Returns a new, compiled model.
        data: Returns the arguments of `fit`.
        test_data: Returns what to judge by; None if the script has no such function.
    """

    build_model: Callable[[], Any]
    data: Callable[[], Any]
    test_data: Callable[[], Any] | None


def load_script(path: Path) -> Script:
    """Imports a script, and finds its functions.

    Args:
        path: The file. Its folder is searched first for what it imports.

    Raises:
        ValueError: If there is no such file, it fails, or a function is missing.
    """
    module = _imported(path)
    functions = [getattr(module, name, None) for name in Script._fields]
    missing = [
        name
        for name, function in zip(Script._fields[:2], functions, strict=False)
        if not callable(function)
    ]
    if missing:
        raise ValueError(f"{path} has no {' and no '.join(missing)}. {HOW_TO}")
    return Script(*(_named(path, function) for function in functions))


def _imported(path: Path) -> ModuleType:
    if not path.is_file() or path.suffix != ".py":
        raise ValueError(f"There is no Python file {path}. {HOW_TO}")
    name = f"ganno_compare_{path.stem}"
    specification = importlib.util.spec_from_file_location(name, path)
    if specification is None or specification.loader is None:
        raise ValueError(f"{path} cannot be imported. {HOW_TO}")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module  # Classes that Keras saves are looked up there.
    sys.path.insert(0, str(path.resolve().parent))
    try:
        specification.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise ValueError(_told(path, error)) from error
    return module


def _named(path: Path, function: Any) -> Any:
    """Makes errors of a user's function say where they come from."""
    if not callable(function):
        return None

    def call() -> Any:
        try:
            return function()
        except Exception as error:
            raise ValueError(_told(path, error)) from error

    return call


def _told(path: Path, error: BaseException) -> str:
    """Returns what failed, and the line of the script where it did."""
    what = f"{type(error).__name__}: {error}"
    if isinstance(error, SyntaxError):
        return f"{path}, line {error.lineno}: {what}"
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename) == path or frame.filename == str(path.resolve())
    ]
    return f"{path}, line {lines[-1]}: {what}" if lines else f"{path}: {what}"
