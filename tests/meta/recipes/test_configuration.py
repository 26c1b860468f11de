# SPDX-License-Identifier: Apache-2.0
"""Configurations: Appendix A line by line, JSON and back, refusals."""

from __future__ import annotations

import dataclasses
import json

import pytest

from agents.environment.configuration import EnvironmentConfiguration
from agents.learning.configuration import PPOConfiguration
from agents.recipes.configuration import MetaTrainingConfiguration
from agents.recipes.registry import RECIPES, find_configuration
from agents.tasks.configuration import TaskConfiguration
from ganno_keras.control.action_sets import get_action_set
from ganno_keras.policies.registry import policies_directory
from ganno_keras.policies.saved_policy import read_metadata

PAPER = RECIPES["paper"]
COMPLETION = TaskConfiguration(objective="completion")
BY_NAME = {recipe.name: recipe for recipe in RECIPES.values()}
SHIPPED = sorted(path for path in policies_directory().iterdir() if path.is_dir())

APPENDIX_A = {
    "Number of executors": (PAPER.environment.num_environments, 4),
    "Max executor steps": (PAPER.timesteps, 50_000),
    "Policy layer sizes": (PAPER.ppo.policy_layers, (128, 128)),
    "Critic layer sizes": (PAPER.ppo.critic_layers, (64, 64)),
    "Policy recurrent layer size": (PAPER.ppo.policy_recurrent_units, 64),
    "Policy layer size after recurrent": (PAPER.ppo.policy_layers_after, (64,)),
    "Sequence length": (PAPER.ppo.sequence_length, 8),
    "Number of epochs": (PAPER.ppo.num_epochs, 2),
    "Number of mini-batches": (PAPER.ppo.num_minibatches, 4),
    "Clip value": (PAPER.ppo.value_clip > 0, True),
    "Optimiser": (PAPER.environment.tasks[0].optimizer, "adam"),
    "Timescale": (PAPER.environment.interval, 100),
    "Reward": (PAPER.environment.reward, "difference"),
    "Initial learning rate": (PAPER.environment.initial_learning_rate, (1e-5, 1e-2)),
    "Initial weight decay": (PAPER.environment.initial_weight_decay, (1e-5, 1e-1)),
    "Training network": (PAPER.environment.tasks[0].model, "two_layer_cnn"),
    "Training data": (PAPER.environment.tasks[0].dataset, "fashion_mnist"),
}


@pytest.mark.parametrize("line", APPENDIX_A)
def test_paper_recipe__holds_appendix_a(line):
    ours, papers = APPENDIX_A[line]
    assert ours == papers


def test_paper_recipe__makes_an_epoch_batch_of_32_sequences_a_two_layer_network():
    task, environment = PAPER.environment.tasks[0], PAPER.environment
    per_episode = task.timesteps // PAPER.ppo.sequence_length
    assert 2 * environment.num_environments * per_episode == 32


def test_paper_actions__are_appendix_a_in_its_order():
    papers = (
        ("+", 0.0),
        ("*", 1.01),
        ("*", 1.10),
        ("/", 1.01),
        ("/", 1.10),
        ("+", 0.0005),
        ("-", 0.0005),
        ("+", 0.001),
        ("-", 0.001),
    )
    assert get_action_set(PAPER.environment.action_set).operations == papers


@pytest.mark.parametrize("name", RECIPES)
def test_recipe__survives_json(name):
    recipe = RECIPES[name]
    assert MetaTrainingConfiguration.from_json(recipe.to_json()) == recipe


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_recipe__is_what_the_shipped_policy_was_made_with(folder):
    made_with = MetaTrainingConfiguration.of_policy(read_metadata(folder))
    assert BY_NAME[folder.name] == made_with


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("ganno-paper-learning-rate-only", {"learning_rate"}),
        ("ganno-paper-timestep-only", {"progress"}),
    ],
)
def test_ablation__sees_one_thing_and_is_else_the_paper(name, shown):
    environment = BY_NAME[name].environment
    spec = environment.observation_spec
    assert {entry.name for entry in spec.entries} - spec.masked == shown
    same = dataclasses.replace(environment, masked=PAPER.environment.masked)
    assert dataclasses.replace(
        PAPER, name=name, seed=BY_NAME[name].seed
    ) == dataclasses.replace(BY_NAME[name], environment=same)


def test_single_agent_ablation__sees_nothing_of_a_layer():
    environment = BY_NAME["ganno-paper-single-agent"].environment
    assert environment.single_agent
    shown = {
        entry.name
        for entry in environment.observation_spec.entries
        if entry.name not in environment.masked
    }
    assert {"train_loss", "progress", "learning_rate"} < shown
    assert not shown & {"layer_kind", "layer_depth", "gradient_norm", "weight_norm"}


def test_unknown_key__is_refused_by_name():
    text = json.dumps({"ppo": {"learning_rates": 1.0}})
    with pytest.raises(ValueError, match=r"unknown keys \['learning_rates'\]"):
        MetaTrainingConfiguration.from_json(text)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: EnvironmentConfiguration(num_environments=0), "num_environments"),
        (lambda: EnvironmentConfiguration(interval=0), "interval"),
        (lambda: EnvironmentConfiguration(tasks=()), "tasks"),
        (lambda: EnvironmentConfiguration(reward="profit"), "profit"),
        (lambda: EnvironmentConfiguration(action_set="free"), "free"),
        (lambda: EnvironmentConfiguration(masked=("smell",)), "smell"),
        (lambda: EnvironmentConfiguration(learning_rate_bounds=(1.0, 0.0)), "bounds"),
        (
            lambda: EnvironmentConfiguration(initial_weight_decay=(0.0, 0.1)),
            "initial_weight_decay",
        ),
        (
            lambda: EnvironmentConfiguration(zero_rate_probability=1.5),
            "zero_rate_probability",
        ),
        (lambda: TaskConfiguration(model="oracle"), "oracle"),
        (lambda: TaskConfiguration(objective="peace"), "peace"),
        (
            lambda: EnvironmentConfiguration(tasks=(COMPLETION,)),
            "'difference' is about",
        ),
        (
            lambda: EnvironmentConfiguration(tasks=(COMPLETION,), reward="potential"),
            "masked has 'accuracy_is_known'",
        ),
        (
            lambda: dataclasses.replace(COMPLETION, label_noise=0.1),
            "'completion' has no classes",
        ),
        (lambda: TaskConfiguration(label_noise=1.2), "label_noise"),
        (lambda: TaskConfiguration(horizons=(8, 0)), "horizons"),
        (lambda: TaskConfiguration(batch_size=-1), "batch_size"),
        (lambda: TaskConfiguration(validation_samples=0), "validation_samples"),
        (lambda: PPOConfiguration(num_minibatches=0), "num_minibatches"),
        (lambda: PPOConfiguration(discount=1.5), "discount"),
        (lambda: PPOConfiguration(clip=0.0), "clip"),
        (lambda: PPOConfiguration(sequence_length=-1), "sequence_length"),
        (lambda: PPOConfiguration(sequence_period=-1), "sequence_period"),
        (lambda: PPOConfiguration(sequence_period=9), "would be lost"),
        (lambda: PPOConfiguration(sequence_length=0, sequence_period=4), "be lost"),
        (lambda: PPOConfiguration(policy_recurrent_cell="rnn"), "one of lstm, gru"),
        (lambda: PPOConfiguration(entropy_cost=float("nan")), "entropy_cost"),
        (lambda: MetaTrainingConfiguration(timesteps=0), "timesteps"),
        (lambda: MetaTrainingConfiguration(seed=-1), "seed"),
        (lambda: MetaTrainingConfiguration(evaluation_every=-1), "evaluation_every"),
        (
            lambda: MetaTrainingConfiguration(episodes_per_iteration=0),
            "episodes_per_iteration",
        ),
        (
            lambda: MetaTrainingConfiguration(
                environment=EnvironmentConfiguration(
                    tasks=(TaskConfiguration(horizons=(16, 20)),)
                )
            ),
            "20 timesteps",
        ),
        (
            lambda: MetaTrainingConfiguration(ppo=PPOConfiguration(sequence_length=5)),
            "do not divide",
        ),
        (
            lambda: MetaTrainingConfiguration(ppo=PPOConfiguration(sequence_period=7)),
            "a divisor of 24",
        ),
    ],
)
def test_impossible_value__is_refused_by_name(make, named):
    with pytest.raises(ValueError, match=named):
        make()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('{"timesteps": "many"}', "timesteps is 'many'; a whole number"),
        ('{"timesteps": true}', "timesteps is True; a whole number"),
        ('{"sampled": 1}', "sampled is 1; true or false"),
        ('{"ppo": 3}', "PPOConfiguration is 3; an object"),
        ('{"ppo": {"policy_layers": 64}}', "policy_layers is 64; a list"),
        ('{"environment": {"tasks": [{"model": 2}]}}', "model is 2; a text"),
        ("[1]", "an object with the keys"),
        ("{", "Expecting"),
    ],
)
def test_value_of_another_kind__is_refused_by_name(text, named):
    with pytest.raises(ValueError, match=named):
        MetaTrainingConfiguration.from_json(text)


@pytest.mark.parametrize(
    ("field", "default"),
    [("single_agent", False), ("masked", ("accuracy_is_known", "validation_is_known"))],
)
def test_freedom_of_the_environment__is_not_used_by_the_paper(field, default):
    assert getattr(PAPER.environment, field) == default


def test_freedom_of_learning__is_not_used_by_the_paper():
    assert PAPER.environment.tasks[0].horizons == ()
    assert not PAPER.ppo.centralised_critic
    assert PAPER.ppo.critic_recurrent_units == 0
    assert PAPER.episodes_per_iteration == 1


def test_find_configuration__reads_a_file(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text('{"name": "mine", "seed": 3}', encoding="utf-8")
    assert find_configuration(str(path)).seed == 3


def test_find_configuration__says_which_recipes_there_are():
    with pytest.raises(ValueError, match=r"neither a recipe .*paper"):
        find_configuration("papre")
