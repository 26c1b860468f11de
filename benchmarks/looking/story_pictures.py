# SPDX-License-Identifier: Apache-2.0
"""Runs the stories, keeps their numbers and draws them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from agents.common.atomic_files import write_json
from ganno_keras.plots.drawing import LINE_STYLES, PALETTE, new_figure, shorten

from ..records.results_file import RESULTS
from .stories import STORIES, Story, told

PATH: Final = RESULTS / "looking" / "stories.json"
PICTURES: Final = Path(__file__).parents[2] / "docs" / "pictures"
NUMBERS: Final = "benchmarks/results/looking/stories.json has"

ANCHOR: Final = "anchor"
METHODS: Final = {ANCHOR: "anchor alone", "policy": "with the policy"}

Told = Mapping[str, Any]


def tell_stories(
    policy: str, path: Path = PATH, pictures: Path = PICTURES
) -> list[str]:
    """Runs all stories by the anchor alone and by a policy; returns lines of text.

    Args:
        policy: A name or a folder, as for `GANNO`.
        path: Where the numbers are kept, those of earlier stories replaced.
        pictures: The folder of the pictures.
    """
    found, lines = {}, []
    for name, make in STORIES.items():
        story = make()
        runs = {ANCHOR: told(story, ANCHOR), "policy": told(story, policy)}
        found[name] = {"about": story.about, **runs}
        draw_story(story, runs, pictures / f"looking_story_{name}.png")
        lines += lines_of_story(name, story, runs)
    write_json(path, found)
    return lines


def lines_of_story(name: str, story: Story, runs: Mapping[str, Told]) -> list[str]:
    """The held-out loss of both fits, and what the policy did, in lines of text."""
    lines = [f"{name}: {story.about}"]
    for method, label in METHODS.items():
        losses = runs[method]["held_out_losses"]
        lines.append(
            f"  {label}: held-out loss {losses[-1]:.3f}, best {min(losses):.3f}"
        )
    octaves = zip(*runs["policy"]["octaves"], strict=True)  # by layer
    for layer, values in zip(runs["policy"]["layers"], octaves, strict=True):
        shown = " ".join(f"{value:+.1f}" for value in values)
        lines.append(f"  log2 of the factors of {layer}: {shown}")
    return lines


def draw_story(story: Story, runs: Mapping[str, Told], path: Path) -> None:
    """Draws the held-out losses, and below them the factors of each layer.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    figure = new_figure(7.0, 5.0, NUMBERS)
    upper, lower = figure.subplots(2, 1, sharex=True)
    for style, colour, (method, label) in zip(
        LINE_STYLES, PALETTE, METHODS.items(), strict=False
    ):
        run = runs[method]
        upper.plot(
            run["updates"], run["held_out_losses"], style, color=colour, label=label
        )
    upper.set_yscale("log")
    upper.yaxis.set_major_formatter("{x:.2g}")
    upper.yaxis.set_minor_formatter("{x:.2g}")
    upper.set_ylabel("held-out loss")
    upper.set_title(f"{story.about[0].upper()}{story.about[1:]}", fontsize=10)
    upper.legend(frameon=False, fontsize="small")
    _draw_factors(lower, story, runs["policy"])
    first, last = story.bad_updates
    if first < last:
        for axes in (upper, lower):
            axes.axvspan(first, last, color="#00000018", linewidth=0.0)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def _draw_factors(axes: Any, story: Story, run: Told) -> None:
    """Draws a line of steps for each layer; lines that coincide are set apart."""
    edges = [*run["decisions"], story.num_updates]
    layers = zip(run["layers"], zip(*run["octaves"], strict=True), strict=True)
    for number, (layer, octaves) in enumerate(layers):
        apart = 0.03 * (number - (len(run["layers"]) - 1) / 2)
        axes.step(
            edges,
            [value + apart for value in (*octaves, octaves[-1])],
            where="post",
            color=PALETTE[number % len(PALETTE)],
            linestyle=LINE_STYLES[number % len(LINE_STYLES)],
            label=shorten(layer),
        )
    axes.axhline(0.0, color="#888888", linewidth=0.8, zorder=0)
    axes.set_ylim(-2.2, 2.2)
    axes.set_yticks(range(-2, 3), ["1/4", "1/2", "1", "2", "4"])
    axes.set_ylabel("factor of the policy")
    axes.set_xlabel("updates")
    axes.legend(frameon=False, fontsize="small", ncols=3)
