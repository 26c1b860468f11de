# SPDX-License-Identifier: Apache-2.0
"""The shipped policies are found in a clone and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganno_keras.policies import registry as _locations

CLONE = Path(__file__).resolve().parents[3]


def test_policies_directory__is_beside_the_package_in_a_clone():
    assert _locations.policies_directory() == CLONE / "saved_policies"


def test_policies_directory__is_inside_the_package_in_a_wheel(monkeypatch, tmp_path):
    package = tmp_path / "ganno_keras"
    (package / "saved_policies").mkdir(parents=True)
    (tmp_path / "saved_policies").mkdir()  # Somebody else's.
    monkeypatch.setattr(_locations, "_PACKAGE", package)
    assert _locations.policies_directory() == package / "saved_policies"


def test_policies_directory__says_where_it_looked_in_vain(monkeypatch, tmp_path):
    package = tmp_path / "ganno_keras"
    monkeypatch.setattr(_locations, "_PACKAGE", package)
    with pytest.raises(FileNotFoundError, match="install ganno-keras again") as caught:
        _locations.policies_directory()
    assert str(package / "saved_policies") in str(caught.value)
    assert str(tmp_path / "saved_policies") in str(caught.value)
