# SPDX-License-Identifier: Apache-2.0
"""Matplotlib, which is imported only when something is drawn."""

from __future__ import annotations

import importlib
from typing import Any


def import_matplotlib(name: str, numbers: str) -> Any:
    """Imports a module of matplotlib, none of which touches windows or backends.

    Args:
        name: Such as `"matplotlib.figure"`.
        numbers: Where the user finds the numbers of the picture, such as
            `"history.to_dict has"`.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            "Plotting needs matplotlib, which is not installed. Run "
            f"pip install 'ganno-keras[plot]' or pip install matplotlib; {numbers} the "
            "numbers without it."
        ) from error
