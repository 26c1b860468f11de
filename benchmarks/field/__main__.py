# SPDX-License-Identifier: Apache-2.0
"""Compares ways to set learning rates on trainings as people have them.

    python -m benchmarks.field list
    python -m benchmarks.field pretrain
    python -m benchmarks.field run --methods author,cosine,GANNO --seeds 0,1,2 --jobs 2
    python -m benchmarks.field run --methods tuned --trainings vit-fashion,gpt-source
    python -m benchmarks.field run --unseen --seeds 0,1,2
    python -m benchmarks.field report --methods GANNO

`run` carries out what has no result yet, in benchmarks/results/field/. Killed at any
moment, it loses what is in work; the same command goes on. Methods: author, cosine,
schedule-free, "lamb and cosine", tuned, a policy's name, GANNO for the default policy,
or MODULE:NAME of something that makes a callback.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ganno_keras.policies import DEFAULT_POLICY

from ..records.results_file import ResultsFile
from .methods import TUNED
from .networks.backbones import BACKBONES, make_backbone
from .registry import TRAININGS, UNSEEN
from .runs import all_rows, run, tune, wanted_cells
from .section import field_section, lines_beside, training_list, unseen_section

GANNO: Final = "GANNO"
REFUSALS: Final = (ConnectionError, ImportError, RuntimeError, ValueError)


def _list(_: argparse.Namespace) -> int:
    print(training_list(all_rows()))
    print(training_list(all_rows(UNSEEN), UNSEEN))
    return 0


def _pretrain(_: argparse.Namespace) -> int:
    for name in BACKBONES:
        print(make_backbone(name))
    return 0


def _run(given: argparse.Namespace) -> int:
    trainings = given.trainings or [
        name
        for name, training in (UNSEEN if given.unseen else TRAININGS).items()
        if not given.families or training.family in given.families
    ]
    seeds = [int(seed) for seed in given.seeds]
    methods = [method for method in _named(given.methods) if method != TUNED]
    is_done = run(wanted_cells(trainings, methods, seeds), given.jobs)
    if TUNED in given.methods:
        # As a list: a failure does not stop the others.
        tuned = [tune(training, seeds, given.jobs) for training in trainings]
        is_done &= all(tuned)
    return 0 if is_done else 1


def _report(given: argparse.Namespace) -> int:
    rows = [*all_rows(), *(ResultsFile(given.also).rows() if given.also else [])]
    methods = _named(given.methods) if given.methods else None
    if given.beside:
        print("\n".join(lines_beside(rows, methods or [DEFAULT_POLICY], given.beside)))
        return 0
    print(field_section(rows, methods))
    print(unseen_section(all_rows(UNSEEN)))
    return 0


def _named(methods: Sequence[str]) -> list[str]:
    return [DEFAULT_POLICY if name == GANNO else name for name in methods]


def _by_comma(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    actions = parser.add_subparsers(required=True)
    actions.add_parser("list", help="all trainings").set_defaults(act=_list)
    pretrain = actions.add_parser("pretrain", help="the networks to fine-tune")
    pretrain.set_defaults(act=_pretrain)
    run_ = actions.add_parser("run", help="carry out what has no result yet")
    run_.set_defaults(act=_run)
    run_.add_argument("--trainings", type=_by_comma, help="default: all")
    run_.add_argument("--families", type=_by_comma, help="default: all")
    run_.add_argument("--unseen", action="store_true", help="those not seen before")
    run_.add_argument("--seeds", type=_by_comma, default=["0"], help="such as 0,1,2")
    run_.add_argument("--jobs", type=int, default=1, help="trainings at the same time")
    report = actions.add_parser("report", help="the comparison as Markdown")
    report.set_defaults(act=_report)
    run_.add_argument("--methods", type=_by_comma, default=["author", "cosine", GANNO])
    report.add_argument("--methods", type=_by_comma, help="default: all with results")
    report.add_argument("--also", type=Path, help="a file with further results")
    report.add_argument("--beside", help="compares with this method in a few lines")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Reads the command line and acts; returns the exit code."""
    given = _parser().parse_args(arguments)
    try:
        return int(given.act(given))
    except REFUSALS as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
