# SPDX-License-Identifier: Apache-2.0
"""Colours and names as all pictures show them."""

from __future__ import annotations

import importlib
from typing import Any, Final

# Okabe and Ito's palette: its colours can be told apart by colour-blind readers.
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
    """Leaves the middle of a long name out: both ends tell layers apart.

    Example:

        >>> shorten("encoder/block_07/attention/projection")
        'encoder/bloc…/projection'
    """
    if name.startswith("_"):
        name = f" {name}"  # matplotlib takes it for the name of a line to hide
    if len(name) <= LONGEST_NAME:
        return name
    half = (LONGEST_NAME - 1) // 2
    return f"{name[: LONGEST_NAME - 1 - half]}…{name[-half:]}"


def new_figure(width: float, height: float, numbers: str) -> Any:
    """Makes an empty figure of matplotlib.

    Args:
        width: In inches.
        height: In inches.
        numbers: Where the user finds the numbers, as for `import_matplotlib`.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    module = import_matplotlib("matplotlib.figure", numbers)
    return module.Figure(figsize=(width, height), layout="constrained")


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
