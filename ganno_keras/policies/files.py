# SPDX-License-Identifier: Apache-2.0
"""The files of a saved policy: its description and the digest of all others.

Nothing here imports TensorFlow. Listing or downloading policies does not wait for it,
and a policy is checked before TensorFlow reads it.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Final

from ganno_keras.policies.metadata import PolicyMetadata

METADATA_FILE: Final = Path("assets.extra") / "ganno.json"

BESIDE_THE_POLICY: Final = frozenset({"README.md", ".gitattributes", ".git", ".cache"})
"""Names that a hub or git adds to a policy's folder; TensorFlow reads none of them."""


def read_metadata(directory: Path) -> PolicyMetadata:
    """Reads the description of a saved policy, without loading the policy.

    Raises:
        ValueError: If the folder holds no policy that this version can read.
    """
    path = directory / METADATA_FILE
    if not path.is_file():
        raise ValueError(
            f"{directory} is no policy: it has no file {METADATA_FILE}. Give a folder "
            "that ganno_keras.policies.saved_policy.save_policy wrote."
        )
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(
            f"{path} is not JSON ({error}). Restore the file, or export the policy "
            "anew."
        ) from error
    if not isinstance(description, dict):
        raise ValueError(
            f"{path} holds {type(description).__name__}, not an object with the "
            "policy's description. Restore the file, or export the policy anew."
        )
    return PolicyMetadata.from_dict(description)


def write_metadata(directory: Path, metadata: PolicyMetadata) -> None:
    """Replaces the description of a saved policy, for example to add its scores."""
    path = directory / METADATA_FILE
    path.parent.mkdir(exist_ok=True)
    text = json.dumps(metadata.to_dict(), indent=1, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def policy_files(directory: Path) -> dict[str, Path]:
    """Finds the files of a policy, by their names within its folder."""
    files = {
        path.relative_to(directory): path
        for path in directory.rglob("*")
        if path.is_file()
    }
    return {
        name.as_posix(): path
        for name, path in sorted(files.items())
        if name.parts[0] not in BESIDE_THE_POLICY
    }


def digest_of(directory: Path) -> str:
    """Returns the SHA-256 over names and contents of all files but the description."""
    files = policy_files(directory)
    files.pop(METADATA_FILE.as_posix(), None)
    digest = hashlib.sha256()
    for name in sorted(files):
        content = hashlib.sha256(files[name].read_bytes()).hexdigest()
        digest.update(f"{name} {content}\n".encode())
    return digest.hexdigest()


def check_digest(directory: Path, metadata: PolicyMetadata) -> None:
    """Refuses files that differ from those that were saved.

    Raises:
        ValueError: If a file was changed, is missing or is new.
    """
    found = digest_of(directory)
    if found != metadata.digest:
        raise ValueError(
            f"The files of policy {metadata.name!r} in {directory} have the digest "
            f"{found}, but {metadata.digest!r} was saved: they were changed, or some "
            "are missing or new. Restore the folder, or export the policy anew."
        )
