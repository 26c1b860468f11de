# SPDX-License-Identifier: Apache-2.0
"""Measures the sentences of pages: `python -m tests.docs.sentences [PAGE ...]`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
# A word in code, a link or a picture counts as a reader reads it: once.
NOT_TEXT = re.compile(
    r"\A---\n.*?\n---\n|^```.*?^```|<!--.*?-->", re.DOTALL | re.MULTILINE
)
PICTURE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
CODE = re.compile(r"(`+).+?\1", re.DOTALL)
ITEM = re.compile(r"^\s*(?:[-*+]|\d+\.)\s+")
END = re.compile(r"(?<=[.!?])[*_)\"]*\s+(?=[\W_]*[A-Z0-9])")
ABBREVIATIONS = re.compile(r"\b(e\.g|i\.e|etc|vs|al|cf)\. ")


def pages() -> list[Path]:
    """Every page that is written for people."""
    return sorted(
        page
        for pattern in (
            "*.md",
            "docs/*.md",
            "notebooks/*.ipynb",
            "notebooks/*.md",
            "saved_policies/*.md",
        )
        for page in ROOT.glob(pattern)
    )


def markdown_of(page: Path) -> str:
    """The Markdown of a page, or of a notebook's text cells."""
    text = page.read_text("utf-8")
    if page.suffix != ".ipynb":
        return text
    cells = json.loads(text)["cells"]
    return "\n\n".join(
        "".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"
    )


def paragraphs(markdown: str) -> Iterator[str]:
    """The paragraphs and items of lists, without headings, tables and code."""
    text = CODE.sub("Code", PICTURE.sub("", NOT_TEXT.sub("\n\n", markdown)))
    lines: list[str] = []
    for line in [*LINK.sub(r"\1", text).splitlines(), ""]:
        apart = not line.strip() or line.lstrip().startswith(("#", "|", ":::", "!!!"))
        if (apart or ITEM.match(line)) and lines:
            yield " ".join(lines)
            lines = []
        if not apart and not line.startswith("      "):
            lines.append(ITEM.sub("", line).strip())


def sentences(markdown: str) -> list[str]:
    """The sentences of a page."""
    return [
        sentence
        for paragraph in paragraphs(markdown)
        for sentence in END.split(ABBREVIATIONS.sub(r"\1 ", paragraph))
        if len(sentence.split()) > 1
    ]


def num_words(sentence: str) -> int:
    """How many words a sentence has; a piece of code is one."""
    return sum(any(letter.isalnum() for letter in word) for word in sentence.split())


def main(names: list[str]) -> None:
    """Prints mean and longest sentence of each page, and the longest of named ones."""
    sys.stdout.write("| page | sentences | mean | longest | above 25 |\n")
    sys.stdout.write("| --- | --- | --- | --- | --- |\n")
    chosen = [Path(name).resolve() for name in names] or pages()
    for page in chosen:
        words = [num_words(sentence) for sentence in sentences(markdown_of(page))]
        if words:
            mean, long = sum(words) / len(words), sum(count > 25 for count in words)
            row = f"{len(words)} | {mean:.1f} | {max(words)} | {long}"
            sys.stdout.write(f"| {page.name} | {row} |\n")
    for page in chosen if names else []:
        for sentence in sentences(markdown_of(page)):
            if num_words(sentence) > 25:
                sys.stdout.write(f"\n{num_words(sentence)} words: {sentence}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
