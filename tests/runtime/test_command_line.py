# SPDX-License-Identifier: Apache-2.0
"""The command `ganno`: answers, exit codes, and what it does not import."""

from __future__ import annotations

import json
import shutil
import sys

import pytest

from ganno_keras import demo, list_policies
from ganno_keras.command_line import main
from ganno_keras.policies import DEFAULT_POLICY
from ganno_keras.policies.files import read_metadata
from ganno_keras.policies.registry import policies_directory
from tests.support.local_hub import LocalHub
from tests.support.processes import run_python

SHIPPED = policies_directory() / "ganno-first"


@pytest.fixture
def damaged(tmp_path):
    folder = shutil.copytree(SHIPPED, tmp_path / "damaged")
    (folder / "saved_model.pb").write_bytes(b"")
    return str(folder)


def answer(capsys, *arguments):
    """The exit code and the JSON that a command printed."""
    code = main([*arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_policies__lists_every_policy_with_its_score(capsys):
    code, rows = answer(capsys, "policies")
    by_name = {row["name"]: row for row in rows}
    scores = read_metadata(SHIPPED).scores["mean"]
    assert (code, sorted(by_name)) == (0, list_policies())
    assert by_name["ganno-first"]["mean_score"] in scores.values()
    assert by_name["no-op"]["mean_score"] is None


def test_policies__aligns_its_columns(capsys):
    assert main(["policies"]) == 0
    header, first, *_ = capsys.readouterr().out.splitlines()
    assert header.split("  ")[0] == "name"
    assert header.index("action set") == first.index("relative")
    assert len(header) == len(first)


@pytest.mark.parametrize(
    ("policy", "folder"),
    [("ganno-first", SHIPPED), (str(SHIPPED), SHIPPED)],
)
def test_info__tells_all_that_the_policy_says(capsys, policy, folder):
    code, description = answer(capsys, "info", policy)
    assert code == 0
    assert description.pop("folder") == str(folder)
    assert description == read_metadata(folder).to_dict()


def test_info__says_that_the_default_has_no_agents(capsys):
    assert main(["info", "default"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(DEFAULT_POLICY)
    assert "no agents" in text
    assert "actions" not in text


def test_info__tells_people_the_main_things(capsys):
    assert main(["info", "ganno-first"]) == 0
    text = capsys.readouterr().out
    for part in ("12,800 timesteps", "fashion_mnist", "100 updates", "sampled 0."):
        assert part in text


def test_info__names_tasks_that_differ_in_size_alone_once(capsys):
    assert main(["info", "ganno-standardised"]) == 0
    assert capsys.readouterr().out.count("five_layer_cnn / cifar10") == 1


def test_info__answers_on_one_line_of_stderr_if_there_is_no_such_policy(capsys):
    assert main(["info", "nope"]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("ganno: There is no policy 'nope'")
    assert output.err.count("\n") == 1


@pytest.mark.parametrize("policy", ["ganno-first", "random"])
def test_verify__finds_sound_policies_sound(capsys, policy):
    code, verdict = answer(capsys, "verify", policy)
    assert (code, verdict["sound"]) == (0, True)
    assert all(check["failure"] is None for check in verdict["checks"])


def test_verify__stops_at_the_first_check_that_fails(capsys, damaged):
    code, verdict = answer(capsys, "verify", damaged)
    assert (code, verdict["sound"]) == (1, False)
    *passed, failed = verdict["checks"]
    assert failed["name"] == "has the files that were saved"
    assert "they were changed" in failed["failure"]
    assert [check["failure"] for check in passed] == [None, None]


def test_verify__says_in_words_what_is_wrong(capsys, damaged):
    assert main(["verify", damaged]) == 1
    text = capsys.readouterr().out
    assert "FAILED  has the files that were saved" in text
    assert "is not sound." in text


def test_push__puts_a_sound_policy_on_the_hub(capsys, tmp_path, monkeypatch):
    hub = LocalHub(tmp_path)
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    code, result = answer(capsys, "push", "ganno-first", "hf://someone/first")
    assert code == 0
    assert result["url"].endswith(list(hub.repositories["someone/first"])[-1])
    assert main(["verify", "hf://someone/first"]) == 0


def test_push__refuses_what_is_not_sound(capsys, damaged, tmp_path, monkeypatch):
    hub = LocalHub(tmp_path)
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    assert main(["push", damaged, "hf://someone/first"]) == 1
    assert "is not sound" in capsys.readouterr().out
    assert not hub.repositories


def test_push__refuses_a_built_in_policy(capsys):
    assert main(["push", "no-op", "hf://someone/first"]) == 1
    assert "has no folder of its own" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [[], ["fly"], ["info"], ["policies", "--fast"], ["push", "ganno-first", "first"]],
    ids=" ".join,
)
def test_ganno__ends_with_2_if_it_is_not_understood(capsys, arguments):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "usage: ganno" in capsys.readouterr().err


def test_help__has_examples_and_exit_codes(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    text = capsys.readouterr().out
    assert end.value.code == 0
    assert "ganno verify saved_policies/mine" in text
    assert "exit codes:" in text


def test_demo__gets_its_own_options_and_prints_json_alone(capsys, monkeypatch):
    def fake_main(arguments):
        sys.stdout.write("half way\n")
        return {"constant": [float(len(arguments))]}

    monkeypatch.setattr(demo, "main", fake_main)
    code, result = answer(capsys, "demo", "--epochs", "3")
    assert (code, result["test_accuracy"]) == (0, {"constant": [2.0]})


@pytest.mark.parametrize("command", [["policies"], ["info", "ganno-first"]])
def test_ganno__imports_neither_keras_nor_tensorflow_to_describe(command):
    result = run_python(
        "import sys\n"
        "from ganno_keras.command_line import main\n"
        f"assert main({command}) == 0\n"
        "print(sorted({'keras', 'tensorflow'} & set(sys.modules)))"
    )
    assert result.stdout.splitlines()[-1] == "[]", result.stderr
