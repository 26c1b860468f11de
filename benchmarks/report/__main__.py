# SPDX-License-Identifier: Apache-2.0
"""Writes docs/results.md, its pictures and README's table from results files.

    python -m benchmarks.report

Our rows come from benchmarks/results/, the paper's from benchmarks/paper/, and a
policy's scores on its own task from its ganno.json.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ..field.runs import all_rows as all_field_rows
from ..methods.policy_names import FLAGSHIP, canonical_name
from ..records.results_file import all_rows
from .page import page
from .paper_figures import draw_all
from .summary import summary, write_into_readme

PAGE: Final = Path(__file__).parents[2] / "docs" / "results.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Draws the pictures and writes the page; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--policy", default=FLAGSHIP, help="the policy of the figures")
    policy = canonical_name(parser.parse_args(arguments).policy)
    try:
        rows = all_rows()
        text = page(rows, draw_all(rows, policy), all_field_rows())
        write_into_readme(summary(rows))
    except (ImportError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    PAGE.write_text(text, encoding="utf-8")
    print(f"Wrote {PAGE.name} and README's table from {len(rows)} results.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
