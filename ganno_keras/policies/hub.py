# SPDX-License-Identifier: Apache-2.0
"""Policies on the Hugging Face Hub: `hf://owner/name`, or `hf://owner/name@revision`.

Only the files of a SavedModel are downloaded, and no code but the SavedModel is ever
run. docs/sharing_policies.md explains what that means.
"""

from __future__ import annotations

import importlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from ganno_keras.policies.files import check_digest, policy_files, read_metadata
from ganno_keras.policies.model_card import model_card

PREFIX: Final = "hf://"
MODEL_CARD: Final = "README.md"
SAVED_MODEL_FILES: Final = (
    "saved_model.pb",
    "fingerprint.pb",
    "variables/*",
    "assets/*",
    "assets.extra/*",
)

_PART: Final = r"[A-Za-z0-9][\w.-]*"
_ADDRESS: Final = re.compile(rf"hf://({_PART}/{_PART})(?:@({_PART}(?:/{_PART})*))?")


class HubAddress(NamedTuple):
    """The address of a policy on the hub.

    Args:
        repository: `"owner/name"`.
        revision: A branch, tag or commit; None for the newest commit.
    """

    repository: str
    revision: str | None

    @classmethod
    def parse(cls, text: str) -> HubAddress:
        """Parses an address.

        Raises:
            ValueError: If it is not `hf://owner/name` or `hf://owner/name@revision`.

        Example:

            >>> HubAddress.parse("hf://someone/first@v1")
            HubAddress(repository='someone/first', revision='v1')
        """
        match = _ADDRESS.fullmatch(text)
        if match is None:
            raise ValueError(
                f"{text!r} is no address on the hub. Write hf://owner/name, or "
                "hf://owner/name@revision with a branch, a tag or a commit."
            )
        return cls(match[1], match[2])

    def __str__(self) -> str:
        revision = "" if self.revision is None else f"@{self.revision}"
        return f"{PREFIX}{self.repository}{revision}"


def is_hub_address(text: str) -> bool:
    """Returns whether a text is meant as an address on the hub.

    Example:

        >>> is_hub_address("hf://someone/first"), is_hub_address("ganno-first")
        (True, False)
    """
    return text.startswith(PREFIX)


def download_policy(address: HubAddress) -> Path:
    """Downloads a policy into the hub's local cache, unless it is there already.

    It neither checks nor loads the policy; `load_policy` does both.

    Returns:
        The policy's folder in the cache. Its name is the commit.

    Raises:
        ImportError: If huggingface_hub is not installed.
        OSError: If the policy cannot be downloaded.
    """
    hub = _huggingface_hub()
    with _telling(f"{address} cannot be fetched", "the address and the network"):
        return Path(
            hub.snapshot_download(
                repo_id=address.repository,
                revision=address.revision,
                allow_patterns=list(SAVED_MODEL_FILES),
                library_name="ganno-keras",
            )
        )


def push_policy(directory: Path, address: HubAddress, *, private: bool = False) -> str:
    """Uploads a policy to the hub, with a model card made from its `ganno.json`.

    If the folder has a README.md, this is the card instead. A policy that is already
    there is replaced in one commit.

    Args:
        directory: The policy's folder; it is not changed.
        address: The address to upload to, without a revision.
        private: Whether the repository is private if it has to be made.

    Returns:
        The URL of the commit.

    Raises:
        ValueError: If the folder holds no sound policy, or the address has a revision.
        ImportError: If huggingface_hub is not installed.
        OSError: If the hub refuses the policy or cannot be reached.
    """
    if address.revision is not None:
        raise ValueError(
            f"{address} names a revision; a policy is pushed as the newest commit of "
            f"the repository's main branch. Write {PREFIX}{address.repository}."
        )
    check_digest(directory, read_metadata(directory))
    hub = _huggingface_hub()
    refused = _telling(
        f"{directory} cannot be pushed to {address}",
        "the address and the network, and log in with `hf auth login`",
    )
    with _staged(directory, address) as folder, refused:
        hub.create_repo(address.repository, private=private, exist_ok=True)
        commit = hub.upload_folder(
            repo_id=address.repository,
            folder_path=folder,
            commit_message="Upload policy with ganno-keras",
            delete_patterns=list(SAVED_MODEL_FILES),
        )
    return str(commit.commit_url)


@contextmanager
def _staged(directory: Path, address: HubAddress) -> Iterator[Path]:
    """Yields a folder with copies of the policy's files, its card and nothing else."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, path in policy_files(directory).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / name)
        card, own_card = folder / MODEL_CARD, directory / MODEL_CARD
        if own_card.is_file():
            shutil.copyfile(own_card, card)
        else:
            text = model_card(read_metadata(directory), str(address))
            card.write_text(text, encoding="utf-8")
        yield folder


def _huggingface_hub() -> Any:
    try:
        return importlib.import_module("huggingface_hub")
    except ImportError as error:
        raise ImportError(
            "Policies on the hub need huggingface_hub, which is not installed. Run "
            "pip install 'ganno-keras[hub]' or pip install huggingface_hub; a policy "
            "in a local folder needs neither."
        ) from error


@contextmanager
def _telling(what: str, remedy: str) -> Iterator[None]:
    """Turns every kind of error of the library into one that says what failed."""
    try:
        yield
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".rstrip(". \n")
        raise OSError(f"{what}: {reason}. Check {remedy}.") from error
