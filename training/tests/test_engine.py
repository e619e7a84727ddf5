"""Stages, averaging and checkpoints."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from training.engine.averaging import moving_average
from training.engine.checkpoints import Checkpoint
from training.engine.figures import log_figures
from training.engine.stages import OtherSettings, Stage, run_stages


def test_finished_stages_are_not_run_again_and_a_killed_one_resumes_in_its_folder(tmp_path: Path) -> None:
    runs: list[str] = []

    def second(folder: Path) -> None:
        runs.append("second")
        half = folder / "half"
        if not half.exists():
            half.touch()
            raise KeyboardInterrupt
        runs.append("resumed")

    stages = [Stage("first", lambda folder: runs.append("first")), Stage("second", second)]
    with pytest.raises(KeyboardInterrupt):
        run_stages(stages, tmp_path, {"steps": 1})
    assert set(run_stages(stages, tmp_path, {"steps": 1})) == {"first", "second"}
    assert runs == ["first", "second", "second", "resumed"]
    run_stages(stages, tmp_path, {"steps": 1})
    assert len(runs) == 4


def test_a_work_folder_of_other_settings_is_refused_unless_fresh(tmp_path: Path) -> None:
    runs: list[int] = []
    stages = [Stage("only", lambda folder: runs.append(1))]
    run_stages(stages, tmp_path / "work", {"steps": 1})
    with pytest.raises(OtherSettings, match="--fresh"):
        run_stages(stages, tmp_path / "work", {"steps": 2})
    run_stages(stages, tmp_path / "work", {"steps": 2}, fresh=True)
    assert len(runs) == 2


def test_the_average_follows_early_updates_and_smooths_later_ones() -> None:
    network = torch.nn.BatchNorm1d(1)
    averaged = moving_average(network, 0.9)
    for update in range(200):
        with torch.no_grad():
            network.weight.fill_(1.0 if update < 3 else float(update % 2))
            network.num_batches_tracked.fill_(update)
        averaged.update_parameters(network)
        if update == 2:
            assert float(averaged.module.weight.detach()) == pytest.approx(1)
    assert float(averaged.module.weight.detach()) == pytest.approx(0.5, abs=0.06)
    assert int(averaged.module.num_batches_tracked) == 199


def test_weights_that_are_shared_are_averaged_once() -> None:
    network = torch.nn.Sequential(torch.nn.Linear(1, 1, bias=False), torch.nn.Linear(1, 1, bias=False))
    network[1].weight = network[0].weight
    averaged = moving_average(network, 0.5)
    for value in (0.0, 1.0):
        with torch.no_grad():
            network[0].weight.fill_(value)
        averaged.update_parameters(network)
    assert averaged.module[0].weight is averaged.module[1].weight
    assert float(averaged.module[0].weight.detach()) == pytest.approx(1 - 2 / 11)


def test_a_checkpoint_restores_its_parts_and_values(tmp_path: Path) -> None:
    path = tmp_path / "new" / "checkpoint.ckpt"
    network = torch.nn.Linear(2, 1)
    assert Checkpoint(path, network=network).load() == {}
    Checkpoint(path, network=network).save(step=7)
    other = torch.nn.Linear(2, 1)
    assert Checkpoint(path, network=other).load() == {"step": 7}
    assert torch.equal(other.weight, network.weight)
    assert list(path.parent.iterdir()) == [path]


def test_figures_are_appended(tmp_path: Path) -> None:
    log_figures(tmp_path, "step 1")
    log_figures(tmp_path, "step 2")
    assert (tmp_path / "figures.log").read_text() == "step 1\nstep 2\n"
