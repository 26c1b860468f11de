# SPDX-License-Identifier: Apache-2.0
"""The page says what was run, and no more."""

from __future__ import annotations

import re

import numpy as np
import pytest

from benchmarks.analysis.runs import coverage
from benchmarks.analysis.table_lines import HERE, THEIRS, lines_of, paper_table
from benchmarks.experiments.grids import RATES, cells_of
from benchmarks.experiments.tasks import CNN5, FAMILIES, LONG
from benchmarks.methods.policy_names import FLAGSHIP
from benchmarks.records import results_file
from benchmarks.records.cells import Cell, Row, Score
from benchmarks.report import paper_figures
from benchmarks.report.__main__ import main
from benchmarks.report.pages import paper_page, results_page, studies_page
from benchmarks.report.paper.aggregate import aggregate_section
from benchmarks.report.paper.evaluation_choices import evaluation_choices_section
from benchmarks.report.paper.paper_tables import table_section
from benchmarks.report.paper.residual_networks import residual_section
from benchmarks.report.paper.training_length import length_section
from benchmarks.report.policies.hidden_entries import mask_section
from benchmarks.report.policies.losses import loss_section
from tests.support.benchmark_results import complete_results, row

POLICY = FLAGSHIP
TABLES = ["table1", "table2", "table3", "table4", "table5"]


def results(cells, accuracy=0.7):
    return {cell: row(cell, accuracy) for cell in cells}


# Printed so in the paper: these two averages are not those of the figures before them.
ODD_AVERAGES = {("Lion", 0.01): 41.922, ("GANNO-LR-only", 0.1): 61.862}


@pytest.mark.parametrize("name", TABLES)
def test_paper_table__has_averages_that_are_those_of_its_rows(name):
    for line in paper_table(name)["rows"]:
        values = [value[0] for value in line["values"] if value]
        key = line["name"], line["weight_decay"]
        if values:
            average = ODD_AVERAGES.get(key, line["average"][0])
            assert np.mean(values) == pytest.approx(average, abs=0.011)


def test_tables_4_and_1__agree_where_the_paper_repeats_itself():
    first = {li.name.split()[0]: li.values for li in lines_of("table1", {}, [POLICY])}
    fourth = {line.name: line.values for line in lines_of("table4", {}, [POLICY])}
    for name in ("Constant", "Linear", "Exponential", "SGDR"):
        assert first[name] == fourth[name]


@pytest.mark.parametrize("name", TABLES)
def test_complete_grid__has_a_line_beside_each_of_the_papers(name):
    lines = lines_of(name, complete_results(), [POLICY])
    ours = {(li.method, li.weight_decay) for li in lines if li.source == HERE}
    for line in (li for li in lines if li.source == THEIRS):
        method = POLICY if line.method == "GANNO" else line.method
        assert (method, line.weight_decay) in ours


def test_velo__is_counted_where_it_has_been_run_only():
    cells = cells_of("table1", 1, [POLICY])
    (velo, *_) = [cell for cell in cells if cell.method == "velo"]
    assert coverage("table1", {}).wanted == 144
    assert coverage("table1", results([velo])).wanted == 150


def test_empty_results__make_a_page_without_tables():
    text = paper_page({}, {})
    assert "Table 4 (0 of 108 cells)" in text
    assert "## Table" not in text


def test_one_cell__is_shown_beside_what_was_not_run():
    cell = Cell("cnn5-cifar10", "constant", 0.001, 0.1, 0)
    text = paper_page(results([cell]), {})
    assert "| constant |  | · | · | 70.00 | · | · | · |" in text
    assert "1 of 108 cells have been run, with 1 seed." in text
    assert "Over rates" not in text


def test_difference_from_the_paper__is_that_of_the_figures_both_have():
    cell = Cell("cnn5-cifar10", "constant", 0.001, 0.1, 0)
    text = table_section("table4", results([cell]), [POLICY])
    assert "| from each rate | 1 | -1.95 | 1.95 |" in text
    assert "complete row" not in text


def test_difference_at_the_best_rate__is_that_of_complete_rows():
    cells = [Cell("cnn5-cifar10", "constant", rate, 0.1, 0) for rate in RATES]
    rows = results(cells) | results(cells[:1], accuracy=0.75)  # Paper's best: 73.25.
    text = table_section("table4", rows, [POLICY])
    assert "| from the best rate of each complete row | 1 | +1.75 | 1.75 |" in text


def test_average__counts_seeds_with_every_rate_only():
    cells = [Cell("cnn5-cifar10", "sgdr", rate, 0.1, 0) for rate in RATES]
    rows = results(cells) | results([cells[0]._replace(seed=1)], accuracy=0.9)
    (line,) = [li for li in lines_of("table4", rows, [POLICY]) if li.source == HERE]
    assert line.values[0].mean == pytest.approx(80.0)
    assert line.average == pytest.approx((70.0, None))


def test_complete_page__lacks_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(paper_figures, "PICTURES", tmp_path)
    rows = complete_results()
    drawn = paper_figures.draw_all(rows, POLICY)
    text = "\n".join(
        [paper_page(rows, drawn), studies_page(rows, drawn), results_page(rows, [], [])]
    )
    assert "What is missing" not in text
    assert "·" not in text.replace("| · | not run |", "")
    assert sorted(p.stem for p in tmp_path.iterdir()) == sorted(paper_figures.FIGURES)
    assert f"Controls of {POLICY}" in text
    assert "float32 instead of bfloat16" in text
    assert "| nothing; meta-trained once |" in text
    assert f"What {POLICY} has to see" in text
    assert re.search(r" 4\.00, 0\.1; linear layers base schedule, 0\.3 \| .* ± ", text)


def test_hidden_entries__are_ordered_by_what_their_absence_costs():
    family = FAMILIES[0]
    rows = results([Cell(family, POLICY, None, 0.1, seed=0)], 0.8)
    for kind, accuracy in (("progress", 0.7), ("train_loss", 0.81)):
        hidden = Cell(family, f"{POLICY}, without {kind}", None, 0.1, seed=0)
        rows |= results([hidden], accuracy)
    another_seed = Cell(family, POLICY, None, 0.1, seed=1)
    rows |= results([another_seed], 0.1)  # does not compare
    section = mask_section(rows, [POLICY])
    falls, rises = "| progress | -10.00 | · |", "| train_loss | +1.00 | · |"
    assert section.index(falls) < section.index(rises)
    assert "learning_rate" not in section


def test_policy_that_starts_by_itself__is_run_once_and_counts_from_every_rate():
    cells = cells_of("table4", 1, ["base-schedule"])
    mine = [cell for cell in cells if cell.method == "base-schedule"]
    assert [cell.initial_learning_rate for cell in mine] == [None]
    rows = results(cells)
    assert "| base-schedule | 70.00 |" in aggregate_section(rows)
    (line,) = [
        line
        for line in lines_of("table4", rows, ["base-schedule"])
        if line.method == "base-schedule"
    ]
    assert not any(line.values)
    assert line.average.mean == pytest.approx(70.0)


def test_run_that_stands_for_every_rate__counts_once_in_the_interval():
    rows = {
        cell: row(cell, 0.70 + 0.01 * cell.seed)
        for cell in cells_of("table4", 3, ["base-schedule"])
    }
    lines = aggregate_section(rows).splitlines()
    # Nothing but three numbers: drawing the first or the last thrice is not rare.
    (line,) = [line for line in lines if line.startswith("| base-schedule")]
    assert "71.00 [70.00, 72.00]" in line
    (line,) = [line for line in lines if line.startswith("| cosine")]
    assert "71.00 [70." in line
    assert "71.00 [70.00, 72.00]" not in line


def test_losses__are_lowest_in_bold_and_beside_the_tuned_schedule():
    task = "autoencoder-fashion"
    rows = {}
    for cell in cells_of("losses", 2, [POLICY]):
        if cell.task == task:
            loss = 0.02 + 0.001 * cell.seed
            if (cell.method, cell.initial_learning_rate) == ("cosine", 0.003):
                loss -= 0.005
            course = {"held_out_loss": [0.1, loss]}
            rows[cell] = Row(cell, Score(None, loss, course), 1.0, {}, {})
    section = loss_section(rows, [POLICY])
    (bold,) = [line for line in section.splitlines() if "**" in line]
    assert bold.startswith("| cosine | ")
    assert "| **15.50 ± 0.71** |" in bold
    compared = f"| {task} | cosine from 0.003 | 15.50 ± 0.71 | {POLICY} |"
    assert f"{compared} 20.50 ± 0.71 | +5.00 |" in section
    assert loss_section({}, [POLICY]) == ""


def test_lengths__stand_beside_the_papers_figures_once_there_are_others():
    tables = results([Cell(CNN5, "linear", 0.01, 0.1, s) for s in range(3)], 0.62)
    assert not length_section(tables)
    smaller = Cell("cnn5-cifar10-batch32", "linear", 0.01, 0.1, 0)
    section = length_section({**tables, smaller: row(smaller, 0.6)})
    assert "| linear from 0.01 | 62.00 ± 0.00 | 60.00 | 69.87 ± 0.72 |" in section
    assert "from the paper's" not in section


def test_long_trainings__are_held_against_the_papers_figures():
    rows = {
        **results([Cell(CNN5, "linear", 0.01, 0.1, 0)], 0.6187),
        **results([Cell(CNN5, "linear", 0.0001, 0.1, 0)], 0.6127),
        **results([Cell(LONG, "linear", 0.01, 0.1, 0)], 0.6887),
        **results([Cell(LONG, "linear", 0.0001, 0.1, 0)], 0.7227),
        # The paper has them from 0.0001 as well, but here only one length was run.
        **results([Cell(LONG, "constant", 0.0001, 0.1, 0)], 0.1),
    }
    section = length_section(rows)
    assert "have been run for 40 epochs (2)" in section
    assert "| in the tables above | -9.00 | 9.00 | -10.00 | -8.00 |" in section
    assert "| after 40 epochs | +0.00 | 1.00 | -1.00 | +1.00 |" in section


def test_choices__say_how_far_they_are_from_the_tables_with_the_same_seeds():
    exact = "cnn5-cifar10-float32"
    rows = {
        **results([Cell(CNN5, "constant", 0.001, 0.1, 0)], 0.9),
        **results([Cell(CNN5, "constant", 0.001, 0.1, s) for s in (1, 2)], 0.70),
        **results([Cell(exact, "constant", 0.001, 0.1, s) for s in (1, 2)], 0.71),
    }
    lines = evaluation_choices_section(rows, [POLICY]).splitlines()
    float32 = "float32 instead of bfloat16"
    assert f"| {float32} | 71.00 ± 0.00 | +1.00 [+1.00, +1.00] |" in lines
    assert evaluation_choices_section({}, [POLICY]) == ""


def test_residual_network__has_a_line_for_each_weight_decay():
    task = "resnet18-cifar10-eighth"
    cells = [Cell(task, "cosine", 0.001, decay, 0) for decay in (0.1, 0.01)]
    section = residual_section(results(cells, 0.75), "resnet18")
    assert "(8 channels in the first stage), 5 epochs of minibatches of 128" in section
    assert section.count("| cosine |") == 2
    assert not residual_section(results(cells), "resnet9")


@pytest.mark.parametrize(
    ("task", "grid", "is_shown"),
    [
        ("resnet9-fashion-eighth", "resnet9", True),
        # There it is run for the figures, from one rate of five.
        ("resnet18-cifar10-eighth", "resnet18", False),
    ],
)
def test_random_agent__has_a_line_where_it_is_of_the_grid(task, grid, is_shown):
    cells = [Cell(task, name, 0.001, 0.1, 0) for name in ("constant", "random")]
    assert ("| random |" in residual_section(results(cells), grid)) is is_shown


def test_figures_without_results__are_not_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(paper_figures, "PICTURES", tmp_path)
    assert list(paper_figures.draw_all({}, POLICY)) == ["figure5"]


def test_broken_results_file__is_reported(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(results_file, "RESULTS", tmp_path)
    (tmp_path / "cnn5-cifar10.jsonl").write_text("{}\n", encoding="utf-8")
    assert main([]) == 2
    assert "Line 1 of" in capsys.readouterr().err
