# SPDX-License-Identifier: Apache-2.0
"""Writes the three pages of results, their pictures and README's table.

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

from ..field.overview import draw_overview, overview
from ..field.registry import UNSEEN
from ..field.runs import all_rows as all_field_rows
from ..methods.policy_names import FLAGSHIP, canonical_name
from ..records.results_file import all_rows
from .markdown import wrapped
from .pages import paper_page, results_page, studies_page
from .paper_figures import PICTURES, draw_all
from .readme import write_into_readme

DOCS: Final = Path(__file__).parents[2] / "docs"


def main(arguments: Sequence[str] | None = None) -> int:
    """Draws the pictures and writes the page; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--policy", default=FLAGSHIP, help="the policy of the figures")
    policy = canonical_name(parser.parse_args(arguments).policy)
    try:
        rows = all_rows()
        field_rows, unseen_rows = all_field_rows(), all_field_rows(UNSEEN)
        drawn = draw_all(rows, policy)
        draw_overview(field_rows, PICTURES / "field.png")
        pages = {
            "results.md": results_page(rows, field_rows, unseen_rows),
            "results_of_the_paper.md": paper_page(rows, drawn),
            "results_of_studies.md": studies_page(rows, drawn),
        }
        write_into_readme(overview(field_rows, unseen_rows))
    except (ImportError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for name, text in pages.items():
        (DOCS / name).write_text(wrapped(text), encoding="utf-8")
    num_results = len(rows) + len(field_rows) + len(unseen_rows)
    print(f"Wrote {', '.join(pages)} and README's table from {num_results} results.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
