# SPDX-License-Identifier: Apache-2.0
"""Pages are written in sentences that a reader gets through at once."""

from __future__ import annotations

import re

import pytest

from tests.docs.sentences import (
    markdown_of,
    num_words,
    pages,
    paragraphs,
    sentences,
)

# The aim is 25 words; beyond this number nobody reads a sentence once.
MOST_WORDS = 30
PAGES = pages()
MARKDOWN = [page for page in PAGES if page.suffix == ".md"]
CODE = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)


def prose_lines(markdown):
    """The lines that can be wrapped: no code, tables, pictures and formulas."""
    lines = CODE.sub("", markdown).splitlines()
    return [line for line in lines if not line.startswith(("|", "!", "    "))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page__has_no_sentence_that_is_read_twice(page):
    long = [
        sentence
        for sentence in sentences(markdown_of(page))
        if num_words(sentence) > MOST_WORDS
    ]
    assert not long


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda page: page.name)
def test_page__is_wrapped_at_100_columns(page):
    assert not [
        line for line in prose_lines(page.read_text("utf-8")) if len(line) > 100
    ]


def test_sentences__end_at_points_and_items_and_count_code_once():
    markdown = (
        "# A heading is none\n\nOne of two lines,\nwith `some code (x)`. "
        "Two, e.g. this.\n\n- An item.\n- [A link](of.md) too\n\n"
        "| a | table |\n\n```\nnor code\n```\n"
    )
    assert [num_words(sentence) for sentence in sentences(markdown)] == [6, 3, 2, 3]


def test_paragraphs__of_lists_are_their_items():
    assert list(paragraphs("1. one\n   goes on\n2. two")) == ["one goes on", "two"]
