"""Each model from nothing, by its quick recipe, on pictures that the tests draw."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from training.model_folder.manifest import described, read_manifest
from training.pictures.image_files import read_rgb

MODELS = Path(__file__).resolve().parents[3] / "models"


def keys(value: object) -> object:
    """The shape of a manifest: its keys, without those that are names of brands, pictures or thresholds."""
    free = ("flickrlogos_ap50", "vmware_recall", "drawn_recall", "at", "recipe", "policy", "versions")
    if isinstance(value, dict):
        return {key: None if key in free else keys(inner) for key, inner in value.items()}
    return None


def check_files(folder: Path, manifest: dict) -> None:
    for file in manifest["files"].values():
        assert described(folder / file["path"], folder) == file


@pytest.fixture(scope="module")
def detector(picture_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[str]]:
    from training.models.logo_detector.__main__ import make, parse_arguments

    folder = tmp_path_factory.mktemp("logo-detector")
    command = ["--quick", "--data", str(picture_data), "--out", str(folder / "out"), "--work", str(folder / "work"), "--threads", "1"]
    make(parse_arguments(command))
    return folder / "out", folder / "work", command


def test_the_detector_is_made_from_nothing(detector: tuple[Path, Path, list[str]]) -> None:
    out, work, _ = detector
    manifest = read_manifest(out)
    check_files(out, manifest)
    shipped = read_manifest(MODELS / "logo-detector")
    for name in ("inputs", "outputs", "labels", "scales", "fusion", "low_score", "nms_iou", "kind", "format"):
        assert manifest[name] == shipped[name], name
    assert list(manifest) == list(shipped)
    assert keys(manifest["figures"]) == keys(shipped["figures"])
    stages = ["from-imagenet", "final", "export", "quantization", "evaluation-32-bit", "evaluation-8-bit"]
    assert all((work / stage / "finished.json").exists() for stage in stages)
    card = (out / "README.md").read_text()
    assert "logo-detector@1" in card and "| no wordmark |" in card and "{" not in card


def test_a_finished_detector_is_not_trained_again(detector: tuple[Path, Path, list[str]]) -> None:
    from training.models.logo_detector.__main__ import make, parse_arguments

    out, work, command = detector
    before, published = (work / "final" / "averaged.pt").stat().st_mtime_ns, (out / "model.onnx").read_bytes()
    make(parse_arguments(command))
    assert (work / "final" / "averaged.pt").stat().st_mtime_ns == before
    assert (out / "model.onnx").read_bytes() == published


def test_other_settings_in_the_same_work_folder_are_refused(detector: tuple[Path, Path, list[str]]) -> None:
    from training.engine.stages import OtherSettings
    from training.models.logo_detector.__main__ import make, parse_arguments

    out, _, command = detector
    with pytest.raises(OtherSettings, match="--fresh"):
        make(parse_arguments([*command, "--start", str(out / "weights.pt")]))


def test_the_exported_detector_gives_what_the_network_gives(detector: tuple[Path, Path, list[str]], picture_data: Path) -> None:
    import torch

    from training.models.logo_detector.backbone import Backbone
    from training.models.logo_detector.export import Exported
    from training.models.logo_detector.inference import onnx_model
    from training.models.logo_detector.network import Detector

    _, work, _ = detector
    network = Detector(Backbone())
    network.load_state_dict(torch.load(work / "final" / "averaged.pt", weights_only=True))
    pixels = np.ascontiguousarray(read_rgb(picture_data / "vmware" / "images" / "photo_000.jpg")[:128, :192])[None]
    with torch.no_grad():
        boxes, scores, _ = (values[0].numpy() for values in Exported(network)(torch.from_numpy(pixels)))
    found = onnx_model(work / "export" / "model.onnx")(pixels)
    assert np.abs(found.scores - scores).max() < 1e-5
    assert np.abs(np.sort(found.boxes, 0) - np.sort(boxes, 0)).max() < 1e-2


@pytest.mark.parametrize("model", ["logo_detector", "logo_windows"])
def test_missing_data_is_named(model: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", f"training.models.{model}", "--quick", "--data", tmp_path / "gone", "--work", tmp_path / "work", "--out", tmp_path]
    run = subprocess.run(command, capture_output=True, text=True, cwd=MODELS.parent, check=False)
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1].startswith("error: there is no ") and "Traceback" not in run.stderr


@pytest.fixture(scope="module")
def windows(picture_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    from training.models.logo_windows.__main__ import make, parse_arguments

    folder = tmp_path_factory.mktemp("logo-windows")
    make(parse_arguments(["--quick", "--data", str(picture_data), "--out", str(folder / "out"), "--work", str(folder / "work")]))
    return folder / "out", folder / "work"


def test_the_talks_network_is_made_from_nothing(windows: tuple[Path, Path]) -> None:
    out, work = windows
    manifest, shipped = read_manifest(out), read_manifest(MODELS / "logo-windows")
    check_files(out, manifest)
    for name in ("inputs", "outputs", "labels", "window", "scales", "kind", "format", "licence", "notes"):
        assert manifest[name] == shipped[name], name
    assert list(manifest) == list(shipped)
    assert keys(manifest["figures"]) == keys(shipped["figures"])
    assert manifest["size"]["parameters"] == shipped["size"]["parameters"] and manifest["size"]["bits"] == shipped["size"]["bits"]
    assert [golden["picture"] for golden in manifest["goldens"]] == [golden["picture"] for golden in shipped["goldens"]]
    assert len((work / "training" / "figures.log").read_text().splitlines()) == 2
    card = (out / "README.md").read_text()
    assert "| the talk |" in card and "{" not in card


def test_the_file_of_the_talks_network_stores_weights_in_8_and_4_bits(windows: tuple[Path, Path]) -> None:
    import onnx

    model = onnx.load(windows[0] / "model.onnx")
    operators = [node.op_type for node in model.graph.node]
    assert (operators.count("Conv"), operators.count("MaxPool"), operators.count("Relu")) == (11, 2, 10)
    assert (windows[0] / "model.onnx").stat().st_size < 15_000_000
    assert b".py" not in model.SerializeToString()  # no stack traces with paths of the machine


def test_a_killed_training_resumes_to_the_same_weights(picture_data: Path, tmp_path: Path) -> None:
    import torch

    from training.models.logo_detector.recipe import QUICK
    from training.models.logo_detector.training import Trainer

    phase, recipe = QUICK.phases[0], QUICK
    unbroken = Trainer(recipe, phase, picture_data, tmp_path / "unbroken").run().state_dict()

    class Killed(Exception):
        pass

    trainer = Trainer(recipe, phase, picture_data, tmp_path / "killed")
    train, steps = trainer._train, iter(range(recipe.checkpoint_every))

    def until_killed(batch: object) -> tuple[float, float]:
        if next(steps, None) is None:
            raise Killed
        return train(batch)

    trainer._train = until_killed
    with pytest.raises(Killed):
        trainer.run()
    resumed = Trainer(recipe, phase, picture_data, tmp_path / "killed")
    assert resumed.step == recipe.checkpoint_every
    weights = resumed.run().state_dict()
    assert all(torch.allclose(weights[name], value, atol=1e-5) for name, value in unbroken.items())
    assert json.dumps(sorted(weights)) == json.dumps(sorted(unbroken))
