# SPDX-License-Identifier: Apache-2.0
"""Where the files are that come with the package.

The policies live beside the package in a clone (where an editable install points, too)
and inside the package in an installed wheel.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def policies_directory() -> Path:
    """Returns the folder that holds one folder for each shipped policy.

    Raises:
        FileNotFoundError: The installation is damaged: the folder is missing.

    Example:

        from ganno_keras._locations import policies_directory

        names = [entry.name for entry in policies_directory().iterdir()]
    """
    return _first_directory(
        _PACKAGE / "saved_policies", _PACKAGE.parent / "saved_policies"
    )


def data_directory() -> Path:
    """Returns the folder that holds the embedded data set."""
    return _PACKAGE / "data"


def _first_directory(*candidates: Path) -> Path:
    """Returns the first of the candidates that is a folder."""
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    places = " and ".join(str(candidate) for candidate in candidates)
    raise FileNotFoundError(
        f"The shipped policies were found in neither {places}. The installation is "
        "incomplete: install ganno-keras again, or restore `saved_policies`."
    )
