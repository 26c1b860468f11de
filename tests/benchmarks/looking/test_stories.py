# SPDX-License-Identifier: Apache-2.0
"""A story is the same fit for both methods, and says what was done in it."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.looking.stories import EPOCH, STORIES, bad_moment, fine_tuning, told
from benchmarks.looking.story_pictures import METHODS, draw_story, lines_of_story

UPDATES = 2 * EPOCH


def test_labels__are_wrong_in_the_bad_moment_alone():
    story = bad_moment(100)
    first, last = story.bad_updates
    np.testing.assert_array_equal(story.targets, bad_moment(100).targets)
    true = {}
    for update in [*range(first), *range(last, 100)]:
        for sample, target in zip(
            story.order[update], story.targets[update], strict=True
        ):
            assert true.setdefault(int(sample), int(target)) == target
    assert (first, last) == (40, 50)


def test_fine_tuning__begins_with_all_layers_but_the_head_trained():
    story = fine_tuning(UPDATES)
    *lower, head = story.model().get_weights()[::2]
    *same, other = story.model().get_weights()[::2]
    for mine, theirs in zip(lower, same, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert not np.array_equal(head, other)
    assert set(story.targets.ravel()) == set(range(5))


@pytest.mark.parametrize("make", STORIES.values(), ids=STORIES)
def test_story__is_told_with_a_picture(make, tmp_path):
    story = make(UPDATES)._replace(interval=10)
    runs = {name: told(story, "anchor") for name in METHODS}
    anchor, other = runs.values()
    assert anchor["held_out_losses"] == other["held_out_losses"]  # both do nothing
    assert np.shape(other["octaves"]) == (len(other["decisions"]), len(other["layers"]))
    assert any("held-out loss" in line for line in lines_of_story("it", story, runs))
    draw_story(story, runs, tmp_path / "story.png")
    assert (tmp_path / "story.png").stat().st_size > 1000
