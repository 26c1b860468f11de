# SPDX-License-Identifier: Apache-2.0
"""Policies on a hub: what was pushed comes back, or it is refused before it runs."""

from __future__ import annotations

import inspect
import json
import shutil
import sys

import numpy as np
import pytest
import tensorflow as tf

from ganno_keras import GANNO, load_policy
from ganno_keras.policies.files import METADATA_FILE, read_metadata
from ganno_keras.policies.hub import HubAddress, push_policy
from ganno_keras.policies.registry import policies_directory
from tests.support.local_hub import LocalHub
from tests.support.models import tiny_data, tiny_model

SHIPPED = policies_directory() / "ganno-first"
ADDRESS = HubAddress("someone/first", None)
DESCRIPTION = METADATA_FILE.as_posix()


@pytest.fixture
def hub(tmp_path, monkeypatch):
    local = LocalHub(tmp_path / "cache")
    monkeypatch.setitem(sys.modules, "huggingface_hub", local)
    return local


@pytest.fixture
def pushed(hub):
    push_policy(SHIPPED, ADDRESS)
    return hub


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(SHIPPED, tmp_path / "policy")


@pytest.fixture
def no_loading(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("It was loaded.")

    monkeypatch.setattr(tf.saved_model, "load", refuse)


def describe(hub, **changes):
    """Adds a commit with another ganno.json."""
    files = hub.newest(ADDRESS.repository)
    description = {**json.loads(files[DESCRIPTION]), **changes}
    text = json.dumps(description).encode()
    return hub.commit(ADDRESS.repository, {**files, DESCRIPTION: text})


@pytest.mark.parametrize("revision", [None, "v1.0", "refs/pr/3", "0123abc"])
def test_address__is_read_as_it_is_written(revision):
    address = HubAddress("some-one/first_2.1", revision)
    assert HubAddress.parse(str(address)) == address


@pytest.mark.parametrize(
    "text",
    [
        "hf://",
        "hf://name",
        "hf://a/b/c",
        "hf://a/b@",
        "hf://../b",
        "hf:/a/b",
        "hf://a/ b",
    ],
)
def test_address__is_refused_if_it_is_none(text):
    with pytest.raises(ValueError, match="is no address on the hub"):
        HubAddress.parse(text)


def test_hub__gives_back_the_policy_that_was_pushed(pushed):
    there, here = load_policy(str(ADDRESS)), load_policy(SHIPPED)
    assert there.metadata == here.metadata
    seen = np.random.default_rng(0).normal(size=(5, 37)).astype("float32")
    decisions = [
        policy.act(seen, policy.initial_state(5), (0, 1), 1.0)
        for policy in (there, here)
    ]
    np.testing.assert_array_equal(*(decision.actions for decision in decisions))


def test_hub__gives_ganno_its_policy(pushed):
    x, y = tiny_data()
    ganno = GANNO(str(ADDRESS), interval=1)
    tiny_model().fit(x, y, batch_size=32, epochs=2, callbacks=[ganno], verbose=0)
    assert ganno.history.timesteps


def test_hub__gives_the_revision_that_was_asked_for(pushed):
    first = list(pushed.repositories[ADDRESS.repository])[-1]
    pushed.tags["v1"] = first
    describe(pushed, interval=7)
    intervals = [
        load_policy(f"{ADDRESS}{revision}").metadata.interval
        for revision in ("", "@v1", f"@{first}")
    ]
    assert intervals == [7, 100, 100]


def test_hub__is_not_asked_for_what_is_in_its_cache(pushed):
    first = list(pushed.repositories[ADDRESS.repository])[-1]
    load_policy(f"{ADDRESS}@{first}")
    pushed.is_offline = True
    assert load_policy(f"{ADDRESS}@{first}").metadata.name == "ganno-first"


def test_hub__fetches_nothing_but_the_saved_model(pushed):
    files = {"evil.py": b"1 / 0", "saved_model.cpb": b"", "more/variables.txt": b""}
    pushed.commit(ADDRESS.repository, {**pushed.newest(ADDRESS.repository), **files})
    load_policy(str(ADDRESS))
    fetched = {
        path.relative_to(pushed.cache).parts[3]
        for path in pushed.cache.glob("*/snapshots/*/*")
    }
    allowed = {
        "assets",
        "assets.extra",
        "fingerprint.pb",
        "saved_model.pb",
        "variables",
    }
    assert fetched <= allowed


@pytest.mark.parametrize("name", ["saved_model.pb", "assets/new.txt"])
def test_hub__is_refused_before_loading_if_a_file_is_not_the_saved_one(
    pushed, no_loading, name
):
    files = pushed.newest(ADDRESS.repository)
    changed = {**files, name: files.get(name, b"") + b"x"}
    pushed.commit(ADDRESS.repository, changed)
    with pytest.raises(ValueError, match="they were changed, or some are missing"):
        load_policy(str(ADDRESS))


def test_hub__is_refused_before_loading_if_the_observation_is_unknown(
    pushed, no_loading
):
    spec = {**read_metadata(SHIPPED).observation_spec.to_dict(), "version": 7}
    describe(pushed, observation_spec=spec)
    with pytest.raises(ValueError, match="cannot build"):
        load_policy(str(ADDRESS))


def test_hub__says_what_could_not_be_fetched(hub):
    with pytest.raises(OSError, match=r"hf://a/b@v2 cannot be fetched: LookupError"):
        load_policy("hf://a/b@v2")


def test_hub__says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match=r"pip install 'ganno-keras\[hub\]'"):
        load_policy("hf://a/b")


def test_push__writes_a_card_that_names_what_the_policy_says(pushed):
    card = pushed.newest(ADDRESS.repository)["README.md"].decode()
    metadata = read_metadata(SHIPPED)
    assert card.startswith("---\nlibrary_name: ganno-keras\n")
    assert 'GANNO(policy="hf://someone/first")' in card
    assert metadata.digest in card
    assert str(metadata.trained_on["commit"]) in card


def test_push__takes_the_readme_of_the_folder_as_the_card(hub, folder):
    (folder / "README.md").write_text("My own.")
    push_policy(folder, ADDRESS, private=True)
    assert hub.newest(ADDRESS.repository)["README.md"] == b"My own."
    assert hub.private == {ADDRESS.repository: True}
    assert load_policy(folder).metadata.name == "ganno-first"


def test_push__leaves_nothing_of_an_earlier_policy(pushed):
    files = pushed.newest(ADDRESS.repository)
    pushed.commit(ADDRESS.repository, {**files, "variables/old": b"", "plot.png": b""})
    push_policy(SHIPPED, ADDRESS)
    assert set(pushed.newest(ADDRESS.repository)) == {*files, "plot.png"}


def test_push__refuses_changed_files(hub, folder):
    (folder / "fingerprint.pb").unlink()
    with pytest.raises(ValueError, match="some are missing"):
        push_policy(folder, ADDRESS)
    assert not hub.repositories


def test_push__refuses_a_revision(hub):
    with pytest.raises(ValueError, match="Write hf://someone/first"):
        push_policy(SHIPPED, HubAddress("someone/first", "v1"))
    assert not hub.repositories


def test_push__says_what_failed(hub):
    hub.is_offline = True
    with pytest.raises(OSError, match=r"cannot be pushed to hf://someone/first: Conn"):
        push_policy(SHIPPED, ADDRESS)


@pytest.mark.parametrize("name", ["snapshot_download", "create_repo", "upload_folder"])
def test_local_hub__takes_no_argument_that_the_real_one_does_not(name):
    real = pytest.importorskip("huggingface_hub")
    accepted = inspect.signature(getattr(real, name)).parameters
    assert set(inspect.signature(getattr(LocalHub, name)).parameters) - {"self"} <= set(
        accepted
    )
