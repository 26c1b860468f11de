# SPDX-License-Identifier: Apache-2.0
"""The lookup of policies by name, path or hub address."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from ganno_keras.policies.files import read_metadata
from ganno_keras.policies.hub import HubAddress, download_policy, is_hub_address
from ganno_keras.policies.metadata import PolicyMetadata
from ganno_keras.policies.policy import Policy
from ganno_keras.policies.scripted import BUILT_IN_POLICIES

_PACKAGE: Final = Path(__file__).resolve().parents[1]

DEFAULT_POLICY: Final = "anchor"
"""The name of the policy that `GANNO()` uses."""


def list_policies() -> list[str]:
    """Lists the names of the built-in and the shipped policies.

    Example:

        >>> {"no-op", "random"} <= set(list_policies())
        True
    """
    return sorted({*BUILT_IN_POLICIES, *_shipped_policies()})


def load_policy(name_or_path: str | os.PathLike[str]) -> Policy:
    """Loads a policy: built in, shipped with the package, from a folder or the hub.

    Args:
        name_or_path: One of `list_policies()`, `"default"`, the path of a folder that
            `save_policy` wrote, or `"hf://owner/name"` for the Hugging Face Hub. Write
            `"hf://owner/name@commit"` to get the same policy every time. Read
            docs/sharing_policies.md before you load policies of strangers.

    Raises:
        TypeError: If it is neither a string nor a path.
        ValueError: If there is no such policy, or the folder holds none. Also if its
            files differ from those that were saved, or this version cannot build its
            observation or its actions.
        ImportError: If it is on the hub and huggingface_hub is not installed.
        OSError: If it is on the hub and cannot be downloaded.

    Example:

        >>> load_policy("no-op").metadata.interval
        100
    """
    folder = policy_folder(name_or_path)
    if folder is None:
        return BUILT_IN_POLICIES[_full_name(name_or_path)]
    # TensorFlow takes seconds to import, and other backends do not need it until here.
    from ganno_keras.policies.saved_policy import SavedPolicy  # noqa: PLC0415

    return SavedPolicy(folder)


def describe_policy(name_or_path: str | os.PathLike[str]) -> PolicyMetadata:
    """Reads the description of a policy, without loading the policy or TensorFlow.

    Args:
        name_or_path: As for `load_policy`, which raises the same errors.

    Example:

        >>> describe_policy("default").name
        'anchor'
    """
    folder = policy_folder(name_or_path)
    return load_policy(name_or_path).metadata if not folder else read_metadata(folder)


def policy_folder(name_or_path: str | os.PathLike[str]) -> Path | None:
    """Finds or downloads the folder of a policy; returns None for a built-in one."""
    if not isinstance(name_or_path, str | os.PathLike):
        raise TypeError(
            f"policy is {name_or_path!r} of type {type(name_or_path).__name__}. Pass a "
            f"name out of {list_policies()}, the path of a policy's folder, "
            "hf://owner/name, or an object with metadata, initial_state and act."
        )
    name = _full_name(name_or_path)
    if name in BUILT_IN_POLICIES:
        return None
    if is_hub_address(name):
        return download_policy(HubAddress.parse(name))
    return _shipped_policies().get(name) or _existing(Path(name))


def _full_name(name_or_path: str | os.PathLike[str]) -> str:
    name = os.fspath(name_or_path)
    return DEFAULT_POLICY if name == "default" else name


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
            f"{list_policies()}. Use one of these names, the path of a policy's "
            "folder, or hf://owner/name."
        )
    return directory


def policies_directory() -> Path:
    """Returns the folder that holds one folder for each shipped policy.

    It lies beside the package in a clone (where an editable install points, too), and
    inside the package in an installed wheel.

    Raises:
        FileNotFoundError: The installation is damaged: the folder is missing.

    Example:

        from ganno_keras.policies.registry import policies_directory

        names = [entry.name for entry in policies_directory().iterdir()]
    """
    return _first_directory(
        _PACKAGE / "saved_policies", _PACKAGE.parent / "saved_policies"
    )


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
