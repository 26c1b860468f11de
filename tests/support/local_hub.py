# SPDX-License-Identifier: Apache-2.0
"""A stand-in for huggingface_hub: repositories in memory, its cache on the disk."""

from __future__ import annotations

import hashlib
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace

Files = dict[str, bytes]


class LocalHub:
    """The three functions that ganno_keras calls, with the hub's layout of files.

    A snapshot is a folder named after its commit with links to blobs, as in the
    library's own cache.

    Args:
        cache: A folder for the local cache.
    """

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self.repositories: dict[str, dict[str, Files]] = {}
        self.tags: dict[str, str] = {}
        self.private: dict[str, bool] = {}
        self.is_offline = False

    def create_repo(
        self, repo_id: str, *, private: bool = False, exist_ok: bool = False
    ) -> None:
        if repo_id in self.repositories:
            assert exist_ok
            return
        self.private[repo_id] = private
        self.repositories[repo_id] = {"0" * 40: {".gitattributes": b"*.pb lfs\n"}}

    def upload_folder(
        self,
        *,
        repo_id: str,
        folder_path: Path,
        commit_message: str,
        delete_patterns: list[str],
    ) -> SimpleNamespace:
        self._check_online()
        new = {
            path.relative_to(folder_path).as_posix(): path.read_bytes()
            for path in Path(folder_path).rglob("*")
            if path.is_file()
        }
        kept = {
            name: content
            for name, content in self.newest(repo_id).items()
            if not any(fnmatch(name, pattern) for pattern in delete_patterns)
        }
        commit = self.commit(repo_id, {**kept, **new})
        return SimpleNamespace(
            commit_url=f"https://hub.invalid/{repo_id}/commit/{commit}", oid=commit
        )

    def snapshot_download(
        self,
        *,
        repo_id: str,
        revision: str | None = None,
        allow_patterns: list[str],
        library_name: str,
    ) -> str:
        commits = self.repositories.get(repo_id, {})
        commit = self.tags.get(revision or "", revision or next(reversed(commits), ""))
        folder = self.cache / f"models--{repo_id.replace('/', '--')}"
        snapshot = folder / "snapshots" / commit
        if self.is_offline and snapshot.is_dir():
            return str(snapshot)
        self._check_online()
        if commit not in commits:
            raise LookupError(f"404 Client Error\n\nNo {revision} in {repo_id}.")
        for name, content in commits[commit].items():
            if any(fnmatch(name, pattern) for pattern in allow_patterns):
                _link(snapshot / name, folder / "blobs", content)
        return str(snapshot)

    def newest(self, repo_id: str) -> Files:
        """The files of the newest commit."""
        return list(self.repositories[repo_id].values())[-1]

    def commit(self, repo_id: str, files: Files) -> str:
        """Adds a commit with exactly these files."""
        commit = hashlib.sha1(repr(sorted(files.items())).encode()).hexdigest()
        self.repositories.setdefault(repo_id, {})[commit] = files
        return commit

    def _check_online(self) -> None:
        if self.is_offline:
            raise ConnectionError("The network is unreachable.")


def _link(path: Path, blobs: Path, content: bytes) -> None:
    blob = blobs / hashlib.sha256(content).hexdigest()
    blobs.mkdir(parents=True, exist_ok=True)
    blob.write_bytes(content)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(blob)
