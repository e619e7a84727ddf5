"""Figures of detections against values worked out by hand, and the whole way with a stand-in for the program."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from training.measure.pictures.program import ProgramFailed, detect
from training.pictures import metrics
from training.pictures.data_files import MissingData, pictures_in
from training.pictures.labelled import LabelledPicture, flickrlogos
from training.pictures.matching import (
    Detection,
    GroundTruth,
    Rectangle,
    average_precision,
    iou,
    match,
)
from training.pictures.metrics import EvaluatedPicture, Prediction, Share


def seen(score: float, x: float, brand: str = "vmware", reported: bool = True, width: float = 40) -> Detection:
    return Detection(brand, score, Rectangle(x, 0, width, 10), reported)


def labelled(x: float, brand: str = "vmware", width: float = 40, **marks: bool) -> GroundTruth:
    return GroundTruth(brand, Rectangle(x, 0, width, 10), **marks)


def test_iou_of_known_rectangles() -> None:
    one = Rectangle(0, 0, 10, 4)
    assert iou(one, Rectangle(5, 0, 10, 4)) == pytest.approx(1 / 3)
    assert iou(one, one) == 1
    assert iou(one, Rectangle(10, 0, 10, 4)) == 0
    assert iou(Rectangle(0, 0, 0, 0), one) == 0


def test_a_box_is_hit_once_by_the_surest_of_its_brand() -> None:
    matches = match([seen(0.5, 0), seen(0.9, 1), seen(0.8, 0, brand="dell"), seen(0.7, 300)], [labelled(0)])
    assert [(one.detection.score, one.hit) for one in matches] == [(0.9, True), (0.8, False), (0.7, False), (0.5, False)]


def test_ignored_boxes_count_neither_for_nor_against() -> None:
    truths = [labelled(0), labelled(100, ignore=True)]
    matches = match([seen(0.9, 100), seen(0.8, 0), seen(0.7, 105, width=10), seen(0.6, 100, brand="dell")], truths)
    assert [one.hit for one in matches] == [None, True, None, False]
    evaluated = [EvaluatedPicture(LabelledPicture(Path("a"), "photo", truths), matches)]
    assert str(metrics.recalls(evaluated)["all"]) == "1.000 (1 of 1)"
    assert metrics.false_alarms(evaluated) == 0 and metrics.false_alarms(evaluated, None) == 1
    assert metrics.precision(evaluated) == Share(1, 2)


@pytest.mark.parametrize(
    ("hits", "positives", "expected"),
    [
        ([], 3, 0),
        ([(0.9, True), (0.8, True)], 2, 1),
        # Precisions 1, 1/2, 2/3: from recall 0.5 on, 2/3 is the best that comes.
        ([(0.9, True), (0.8, False), (0.7, True)], 2, 0.5 * 1 + 0.5 * 2 / 3),
        ([(0.9, False), (0.8, True)], 4, 0.25 * 0.5),
    ],
)
def test_average_precision_of_known_curves(hits: list[tuple[float, bool]], positives: int, expected: float) -> None:
    assert average_precision(hits, positives) == pytest.approx(expected)


def test_recall_is_told_by_kind_and_size_and_without_the_hard_ones() -> None:
    truths = [labelled(0), labelled(100, hard=True), labelled(300, width=130)]
    detections = [seen(0.9, 0), seen(0.4, 100, reported=False), seen(0.8, 300, width=130)]
    evaluated = [EvaluatedPicture(LabelledPicture(Path("a"), "screen", truths), match(detections, truths))]
    recalls = metrics.recalls(evaluated)
    assert list(recalls) == ["all", "easy", "kind screen", "width under 60", "width 120 to 239"]
    assert recalls["all"] == Share(2, 3) and recalls["easy"] == Share(2, 2)
    assert recalls["width under 60"] == Share(1, 2)
    assert metrics.recalls(evaluated, 0.3)["all"] == Share(3, 3)


def test_the_score_for_so_many_false_alarms() -> None:
    predictions = [Prediction(1, 1, "m@1", [seen(score, 0)]) for score in (0.9, 0.5, 0.3, 0.2)]
    min_score = metrics.score_for(predictions, 0.5)
    assert sum(one.score >= min_score for prediction in predictions for one in prediction.detections) == 2
    assert metrics.score_for([Prediction(1, 1, "m@1", [])], 0.01) == 0


def test_mean_average_precision_is_over_the_brands_that_are_labelled() -> None:
    truths = [labelled(0), labelled(100, brand="dell")]
    detections = [seen(0.9, 0), seen(0.9, 300, brand="nike")]
    evaluated = [EvaluatedPicture(LabelledPicture(Path("a"), "", truths), match(detections, truths))]
    assert metrics.mean_average_precision(evaluated) == (50, {"dell": 0, "vmware": 100})


def test_flickrlogos_names_brands_as_models_do_and_each_box_once(tmp_path: Path) -> None:
    rows = "file,brand,x1,y1,x2,y2\na.jpg,RedBull,1,2,11,22\na.jpg,RedBull,1,2,11,22\na.jpg,HP,0,0,5,5\n"
    (tmp_path / "flickrlogos27").mkdir()
    (tmp_path / "flickrlogos27" / "val.csv").write_text(rows)
    (picture,) = flickrlogos(tmp_path)
    assert picture.path == tmp_path / "flickrlogos27" / "images" / "a.jpg"
    assert picture.truths == [GroundTruth("redbull", Rectangle(1, 2, 10, 20)), GroundTruth("hp", Rectangle(0, 0, 5, 5))]


def test_missing_data_and_a_missing_program_are_named(tmp_path: Path) -> None:
    with pytest.raises(MissingData, match="negatives"):
        pictures_in(tmp_path / "negatives")
    with pytest.raises(ProgramFailed, match="make build"):
        detect(tmp_path / "overheard", "detector", [tmp_path / "a.jpg"])


PROGRAM = """#!{python}
import json, sys
assert sys.argv[1] == "detect"
for path in sys.argv[sys.argv.index("--") + 1:]:
    if "broken" in path:
        print(json.dumps({{"path": path, "error": "no picture"}}))
        continue
    sightings = [{{"brand": brand, "score": 0.9, "x": 10, "y": 20, "width": 100, "height": 30, "reported": True}}
                 for brand in ("vmware", "adidas") if brand in path]
    print(json.dumps({{"path": path, "width": 200, "height": 100, "model": "m@1", "sightings": sightings}}))
"""


def test_the_tables_are_made_from_what_the_program_says(tmp_path: Path) -> None:
    program = tmp_path / "overheard"
    program.write_text(PROGRAM.format(python=sys.executable))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    data = tmp_path / "data"
    for name in ("vmware/images/photo.png", "negatives/hall.png", "negatives/stage.png", "negatives/broken.png", "everyday/cat.jpg",
                 "flickrlogos27/images/adidas.jpg"):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_bytes(b"")
    (data / "vmware/kinds.csv").write_text("file,kind\nphoto.png,photo\n")
    (data / "vmware/imglab.xml").write_text(
        "<dataset><images><image file='images/photo.png'>"
        "<box top='20' left='10' width='100' height='30'><label>vmware</label></box>"
        "<box top='70' left='10' width='100' height='30'><label>vmware</label></box></image></images></dataset>"
    )
    (data / "flickrlogos27/val.csv").write_text("file,brand,x1,y1,x2,y2\nadidas.jpg,Adidas,10,20,110,50\n")
    command = [sys.executable, "-m", "training.measure.pictures", "--data", data, "--binary", program]
    root = Path(__file__).resolve().parents[3]
    run = subprocess.run([*command, "--models", "detector"], capture_output=True, text=True, cwd=root, check=False)
    assert run.returncode == 0, run.stderr
    for words in ("m@1", "| kind photo | 0.500 (1 of 2) |", "| negatives | 2 | 0 | 0.0000 | 0 |", "mAP50 100.0",
                  "Failed: broken.png: no picture"):
        assert words in run.stdout, run.stdout
