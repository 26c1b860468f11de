# SPDX-License-Identifier: Apache-2.0
"""Finding policies by name or path."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from ganno_keras._locations import policies_directory
from ganno_keras.policies.policy import Policy
from ganno_keras.policies.scripted import BUILT_IN_POLICIES, ScriptedPolicy

DEFAULT_POLICY: Final = "ganno-first"
"""The policy behind `GANNO()`."""


def list_policies() -> list[str]:
    """Names what `load_policy` finds by name: built-in and shipped policies.

    Example:

        >>> {"no-op", "random"} <= set(list_policies())
        True
    """
    return sorted({*BUILT_IN_POLICIES, *_shipped_policies()})


def load_policy(name_or_path: str | os.PathLike[str]) -> Policy:
    """Loads a policy: a built-in one, one that ships with the package, or a folder.

    Args:
        name_or_path: One of `list_policies()`, `"default"`, or the path of a folder
            that `save_policy` wrote.

    Raises:
        TypeError: If it is neither a string nor a path.
        ValueError: If there is no such policy, the folder holds none, or this version
            cannot build what the policy observes or does.

    Example:

        >>> load_policy("no-op").metadata.interval
        100
    """
    if not isinstance(name_or_path, str | os.PathLike):
        raise TypeError(
            f"policy is {name_or_path!r} of type {type(name_or_path).__name__}; a name "
            f"out of {list_policies()}, the path of a policy's folder, or an object "
            "with metadata, initial_state and act is needed."
        )
    name = os.fspath(name_or_path)
    name = DEFAULT_POLICY if name == "default" else name
    if name in BUILT_IN_POLICIES:
        return ScriptedPolicy(name, BUILT_IN_POLICIES[name])
    # TensorFlow takes seconds to import, and other backends do without it until here.
    from ganno_keras.policies.saved_policy import SavedPolicy  # noqa: PLC0415

    return SavedPolicy(_shipped_policies().get(name) or _existing(Path(name)))


def _shipped_policies() -> dict[str, Path]:
    return {
        path.name: path
        for path in policies_directory().iterdir()
        if path.is_dir() and not path.name.startswith((".", "_"))
    }


def _existing(directory: Path) -> Path:
    if not directory.is_dir():
        raise ValueError(
            f"There is no policy {str(directory)!r}: it is neither a folder nor one of "
            f"{list_policies()}. Use one of these names, or the path of a policy's "
            "folder."
        )
    return directory
