# SPDX-License-Identifier: Apache-2.0
"""Pages that are written from results keep the width of those written by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.report.markdown import PAGE_WIDTH, wrapped

WORDS = st.lists(st.text("abc-", min_size=1, max_size=12).map("x".__add__), min_size=1)


@given(WORDS, st.sampled_from(["", "- "]))
def test_wrapped__keeps_the_words_and_the_width(words, item):
    lines = wrapped(item + " ".join(words) + "\n").splitlines()
    assert " ".join(lines).split() == (item + " ".join(words)).split()
    assert all(len(line) <= PAGE_WIDTH for line in lines)
    assert all(line.startswith("  ") == bool(item) for line in lines[1:])


@given(st.lists(WORDS.map(" ".join), min_size=1))
def test_wrapped__changes_nothing_that_is_wrapped(paragraphs):
    once = wrapped("\n\n".join(paragraphs) + "\n")
    assert wrapped(once) == once


@pytest.mark.parametrize(
    "apart",
    [
        "| a | table |\n| --- | --- |",
        "# A heading",
        "![A](picture.png)",
        "[a]: link.md",
    ],
)
def test_wrapped__leaves_what_is_no_prose(apart):
    long = apart.replace("a", "a " * PAGE_WIDTH, 1)
    assert wrapped(f"One\nparagraph.\n\n{long}\n") == f"One paragraph.\n\n{long}\n"


def test_wrapped__breaks_no_command():
    command = "`python -m benchmarks.run table1`"
    text = wrapped(f"{'word ' * 18}{command}, and on.\n")
    assert command in text
    assert "\n" in text.strip()
