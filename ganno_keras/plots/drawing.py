# SPDX-License-Identifier: Apache-2.0
"""Colours, line styles and short names that all pictures share."""

from __future__ import annotations

import importlib
from typing import Any, Final

# Okabe and Ito's palette: colour-blind readers can distinguish its colours.
PALETTE: Final = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#000000",
)


LINE_STYLES: Final = ("-", "--", "-.", ":")


LONGEST_NAME: Final = 24


def shorten(name: str) -> str:
    """Replaces the middle of a long name by an ellipsis.

    Both ends are kept, because layers differ there.

    Example:

        >>> shorten("encoder/block_07/attention/projection")
        'encoder/bloc…/projection'
    """
    if len(name) <= LONGEST_NAME:
        return name
    half = (LONGEST_NAME - 1) // 2
    return f"{name[: LONGEST_NAME - 1 - half]}…{name[-half:]}"


def new_figure(width: float, height: float, numbers: str) -> Any:
    """Makes an empty figure of matplotlib.

    Args:
        width: Width in inches.
        height: Height in inches.
        numbers: Where the user finds the numbers, as for `import_matplotlib`.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    module = import_matplotlib("matplotlib.figure", numbers)
    return module.Figure(figsize=(width, height), layout="constrained")


def import_matplotlib(name: str, numbers: str) -> Any:
    """Imports a module of matplotlib that opens no window and selects no backend.

    Args:
        name: Name of the module, such as `"matplotlib.figure"`.
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
