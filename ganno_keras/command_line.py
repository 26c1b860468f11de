# SPDX-License-Identifier: Apache-2.0
"""The command `ganno`: policies, a demo, and comparisons of users' own trainings.

Only the commands that need TensorFlow import it, so listing is immediate.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, Final, NamedTuple

from ganno_keras.policies.description import (
    describe,
    is_script,
    mean_score,
    trained_timesteps,
)
from ganno_keras.policies.hub import HubAddress, is_hub_address, push_policy
from ganno_keras.policies.registry import describe_policy, list_policies, policy_folder
from ganno_keras.summaries.tables import Table

SOUND: Final = 0
NOT_SOUND: Final = 1
INTERRUPTED: Final = 130

_EXAMPLES: Final = """\
examples:
  ganno policies
  ganno info ganno-first
  ganno verify saved_policies/mine
  ganno info hf://owner/name@v1 --json
  ganno push saved_policies/mine hf://owner/name
  ganno demo
  ganno compare train.py --seeds 5

exit codes:
  0  all is well
  1  what was asked about is missing or not sound
  2  the command was not understood"""

_POLICY_HELP: Final = (
    "a name that `ganno policies` lists, a folder, or hf://owner/name[@revision]"
)


class Answer(NamedTuple):
    """The result of a command.

    Args:
        text: The result for people.
        data: The result for programs, in JSON types.
        exit_code: The exit code of the process.
    """

    text: str
    data: Any
    exit_code: int = SOUND


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: Arguments of the command line; by default the process's.

    Returns:
        The exit code.
    """
    options = _read(arguments)
    try:
        answer: Answer = options.run(options)
    except (ImportError, OSError, TypeError, ValueError) as error:
        return _complain(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    _say(json.dumps(answer.data, indent=1) if options.json else answer.text)
    return answer.exit_code


def _read(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parses the command line; only the demo may have arguments unknown here."""
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and options.command != "demo":
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    options.rest = rest
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ganno",
        description="Layerwise learning rates for Keras: policies and comparisons.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--json", action="store_true", help="print JSON")

    def add(
        name: str, run: Callable[[argparse.Namespace], Answer], what: str
    ) -> argparse.ArgumentParser:
        command = commands.add_parser(
            name, help=what, description=what, parents=[shared]
        )
        command.set_defaults(run=run)
        return command

    add("policies", _policies, "List the policies that come with the package.")
    info = add("info", _info, "Say what a policy does and where it comes from.")
    info.add_argument("policy", help=_POLICY_HELP)
    verify = add("verify", _verify, "Check a policy's files, load it and let it act.")
    verify.add_argument("policy", help=_POLICY_HELP)
    push = add("push", _push, "Check a policy and put it on the Hugging Face Hub.")
    push.add_argument("policy", help="the policy's folder or name")
    push.add_argument("address", type=_address, help="where to: hf://owner/name")
    push.add_argument(
        "--private",
        action="store_true",
        help="make the repository private if there is none yet",
    )
    _add_compare_options(
        add("compare", _compare, "Train a script of yours with and without GANNO.")
    )
    commands.add_parser(
        "demo",
        add_help=False,  # The demo parses its own options.
        parents=[shared],
        help="Train a small network from five initial rates, with and without GANNO.",
    ).set_defaults(run=_demo)
    return parser


def _add_compare_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "script",
        type=Path,
        help="a file with build_model(), a compiled model, and data(), fit's arguments",
    )
    parser.add_argument(
        "--seeds", type=int, default=3, help="trainings of each way, 3 by default"
    )
    parser.add_argument("--policy", default="default", help=_POLICY_HELP)
    parser.add_argument("--metric", help="the score to compare by")
    parser.add_argument(
        "--results",
        type=Path,
        help="the file of finished trainings, by default SCRIPT.comparison.jsonl",
    )
    parser.add_argument("--picture", type=Path, help="where to save a picture")


def _address(text: str) -> HubAddress:
    try:
        return HubAddress.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


# ------------------------------------------------------------ commands


def _policies(_: argparse.Namespace) -> Answer:
    rows = [
        {
            "name": metadata.name,
            "action_set": metadata.action_set.name,
            "interval": metadata.interval,
            "sampled": None if is_script(metadata) else metadata.sampled,
            "trained_timesteps": trained_timesteps(metadata),
            "mean_score": mean_score(metadata),
        }
        for metadata in map(describe_policy, list_policies())
    ]
    header = [name.replace("_", " ") for name in rows[0]]
    cells = [[_cell(value) for value in row.values()] for row in rows]
    return Answer(Table(header, cells, num_names=2).as_text(), rows)


def _info(options: argparse.Namespace) -> Answer:
    folder = policy_folder(options.policy)
    metadata = describe_policy(folder or options.policy)
    where = "built in" if folder is None else str(folder)
    lines = {"folder": where, **describe(metadata)}
    text = "\n".join(f"  {heading:16}{line}" for heading, line in lines.items())
    data = {**metadata.to_dict(), "folder": None if folder is None else where}
    return Answer(f"{metadata.name}\n{text}", data)


def _verify(options: argparse.Namespace) -> Answer:
    _quieten_tensorflow()
    from ganno_keras.policies.verification import verify_policy  # noqa: PLC0415

    checks = verify_policy(options.policy)
    failures = [check.failure for check in checks if check.failure is not None]
    lines = [f"{'FAILED' if check.failure else 'ok':8}{check.name}" for check in checks]
    verdict = "is not sound" if failures else "is sound"
    data = {
        "policy": options.policy,
        "sound": not failures,
        "checks": [check._asdict() for check in checks],
    }
    return Answer(
        "\n".join([*lines, *failures, f"{options.policy} {verdict}."]),
        data,
        NOT_SOUND if failures else SOUND,
    )


def _push(options: argparse.Namespace) -> Answer:
    folder = None if is_hub_address(options.policy) else policy_folder(options.policy)
    if folder is None:
        raise ValueError(
            f"{options.policy} has no folder of its own to push. Give the folder of a "
            "policy that was saved here."
        )
    verified = _verify(options)
    if verified.exit_code != SOUND:
        return verified
    url = push_policy(folder, options.address, private=options.private)
    data = {"policy": str(folder), "address": str(options.address), "url": url}
    return Answer(f"{folder} is now at {options.address}\n{url}", data)


def _demo(options: argparse.Namespace) -> Answer:
    """Runs the demo, which parses its own options and prints its progress."""
    _quieten_tensorflow()
    from ganno_keras import demo  # noqa: PLC0415

    # With --json, only the answer may go to the standard output.
    with redirect_stdout(sys.stderr if options.json else sys.stdout):
        accuracies = demo.main(options.rest)
    rates = list(demo.INITIAL_LEARNING_RATES)
    return Answer("", {"initial_learning_rates": rates, "test_accuracy": accuracies})


def _compare(options: argparse.Namespace) -> Answer:
    """Trains the user's script in three ways, and keeps what is finished."""
    _quieten_tensorflow()
    from ganno_keras.comparison.compare import compare  # noqa: PLC0415
    from ganno_keras.comparison.script import load_script  # noqa: PLC0415

    results = options.results or Path(f"{options.script.stem}.comparison.jsonl")
    settings = {} if options.policy == "default" else {"policy": options.policy}
    # With --json, only the answer may go to the standard output.
    with redirect_stdout(sys.stderr if options.json else sys.stdout):
        script = load_script(options.script)
        found = compare(
            script.build_model,
            script.data,
            seeds=options.seeds,
            test_data=script.test_data() if script.test_data else None,
            metric=options.metric,
            ganno=settings,
            results=results,
        )
    text = f"\n{found}\n\nEvery training is kept in {results}."
    if options.picture:
        found.plot(options.picture)
        text += f" The picture is {options.picture}."
    return Answer(text, found.to_dict())


# ------------------------------------------------------------ output


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def _quieten_tensorflow() -> None:
    """Hides TensorFlow's start-up messages, unless the user asked for them."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def _say(text: str) -> None:
    if text:
        sys.stdout.write(text + "\n")


def _complain(error: BaseException) -> int:
    """Writes an error as one line and returns the exit code."""
    sys.stderr.write(f"ganno: {' '.join(str(error).split())}\n")
    return NOT_SOUND


if __name__ == "__main__":
    sys.exit(main())
