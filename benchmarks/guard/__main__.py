# SPDX-License-Identifier: Apache-2.0
"""What the guard does to trainings that are sound, and to trainings that diverge.

    python -m benchmarks.guard [--seeds 5] [--report]

Fits each training with the guard, and without it where the guard did something or the
training is one that diverges. Each fit is a line in `benchmarks/results/guard/`;
what is there already is not repeated. `--report` writes the tables of `docs/guard.md`
and trains nothing.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Final

from ganno_keras.policies import DEFAULT_POLICY

from ..methods.policy_names import FLAGSHIP
from .runs import (
    OFF,
    RESULTS,
    Run,
    Version,
    append,
    carry_out,
    needs_comparison,
    planned,
    read,
)
from .table import report

PAGE: Final = Path(__file__).parents[2] / "docs" / "guard.md"
MARK: Final = "<!-- The rest is written by python -m benchmarks.guard --report -->"
VERSIONS: Final = {
    Version("before"): "by training loss",
    Version("proof"): "by proof",
    Version("proof", DEFAULT_POLICY): "by proof, `GANNO()`",
}
"""The guard before there was a proof, and today's, also with the default's rates."""


def main() -> None:
    """Trains what is missing, or prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--guard", default="proof", help="what to file today's as")
    parser.add_argument("--policy", default=FLAGSHIP, help="what sets the rates")
    parser.add_argument("--only", default="", help="trainings with this in their name")
    parser.add_argument("--report", action="store_true", help="write the tables")
    arguments = parser.parse_args()
    if arguments.report:
        _write("\n".join(report(read(), VERSIONS)))
        return
    done, version = read(), Version(arguments.guard, arguments.policy)
    for run in planned(version, arguments.seeds, arguments.only):
        record = done.get(run) or _carry_out(run)
        if needs_comparison(record) and run._replace(guard=OFF) not in done:
            _carry_out(run._replace(guard=OFF))
    print(f"All there: {RESULTS}")


def _write(tables: str) -> None:
    """Puts the tables below the mark on the page."""
    text, _, _ = PAGE.read_text("utf-8").partition(MARK)
    PAGE.write_text(f"{text}{MARK}\n\n{tables}\n", "utf-8")
    print(f"Written: {PAGE}")


def _carry_out(run: Run) -> dict[str, Any]:
    record = carry_out(run)
    append(record)
    print(*record.values(), flush=True)
    return record


if __name__ == "__main__":
    main()
