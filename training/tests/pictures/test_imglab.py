"""The imglab reader: broken files made here, and real ones where OVERHEARD_TRAINING_DATA names a data folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from training.pictures.imglab import Box, Dataset, ImglabError, clipped, read_imglab


def read(folder: Path, images: str, head: str = "") -> Dataset:
    """Reads a file with these images, each of which is taken to be 100 x 80."""
    (folder / "a.jpg").touch()
    (folder / "b.jpg").touch()
    path = folder / "boxes.xml"
    path.write_text(f"<?xml version='1.0'?>\n{head}<dataset><name>n</name><images>{images}</images></dataset>", encoding="utf-8")
    return read_imglab(path, lambda _: (100, 80))


def test_boxes_labels_flags_and_parts_are_read(tmp_path: Path) -> None:
    dataset = read(
        tmp_path,
        "<image file='a.jpg'><box top='1' left='2' width='30' height='40' difficult='1' occluded='0' pose='3'>"
        "<label> vmware </label><part name='nose' x='5' y='6'/></box>"
        "<box top='1' left='2' width='3' height='4' ignore='1' truncated='true'/></image><image file='b.jpg'/>",
    )
    assert dataset.name == "n"
    assert [picture.path.name for picture in dataset.pictures] == ["a.jpg", "b.jpg"]
    first, second = dataset.pictures[0].boxes
    assert (first.left, first.top, first.right, first.bottom) == (2, 1, 32, 41)
    assert (first.label, first.difficult, first.occluded, first.ignore) == ("vmware", True, False, False)
    assert first.attributes == {"pose": "3"}
    assert [(part.name, part.x, part.y) for part in first.parts] == [("nose", 5, 6)]
    assert (second.ignore, second.truncated, second.label) == (True, True, "")
    assert dataset.pictures[1].boxes == () and dataset.reports == ()


def test_boxes_that_reach_out_are_clipped_and_those_outside_dropped_both_with_a_report(tmp_path: Path) -> None:
    dataset = read(
        tmp_path,
        "<image file='a.jpg'><box top='-10' left='90' width='30' height='40'/><box top='80' left='0' width='9' height='9'/></image>",
    )
    (box,) = dataset.pictures[0].boxes
    assert (box.left, box.top, box.right, box.bottom) == (90, 0, 100, 30)
    clipping, dropping = dataset.reports
    assert "clipped: box at left 90, top -10, 30 x 40 reaches out of the 100 x 80 picture" in clipping
    assert "dropped: box at left 0, top 80, 9 x 9 is wholly outside" in dropping


def test_a_box_inside_is_left_alone() -> None:
    box = Box(0, 0, 100, 80)
    assert clipped(box, 100, 80) == (box, "")


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ("<image file='a.jpg'>", "boxes.xml:2: broken XML: mismatched tag"),
        ("<image file='gone.jpg'/>", "boxes.xml:2: there is no picture gone.jpg"),
        ("<image/>", "an image names no file"),
        ("<image file='a.jpg'><box top='1' left='2' width='30'/></image>", "a box has no height"),
        ("<image file='a.jpg'><box top='one' left='2' width='3' height='4'/></image>", "top of a box is no number: 'one'"),
        ("<image file='a.jpg'><box top='nan' left='2' width='3' height='4'/></image>", "no number of pixels: 'nan'"),
        ("<image file='a.jpg'><box top='1' left='2' width='0' height='4'/></image>", "a box has no area"),
        ("<box top='1' left='2' width='3' height='4'/>", "a box stands outside an image"),
        ("<image file='a.jpg'><box top='1' left='2' width='3' height='4'><part name='x' x='1'/></box></image>", "a part has no y"),
    ],
)
def test_what_is_broken_is_named_with_its_line(tmp_path: Path, images: str, message: str) -> None:
    with pytest.raises(ImglabError) as error:
        read(tmp_path, images)
    assert message in str(error.value)


def test_entities_are_refused(tmp_path: Path) -> None:
    bomb = "<!DOCTYPE dataset [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;'>]>\n"
    with pytest.raises(ImglabError, match="entity"):
        read(tmp_path, "<image file='a.jpg'/>", bomb)
    with pytest.raises(ImglabError, match="entity"):
        read(tmp_path, "<image file='a.jpg'/>", "<!DOCTYPE dataset [<!ENTITY x SYSTEM 'file:///etc/hostname'>]>\n")


def test_other_xml_and_missing_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "boxes.xml"
    with pytest.raises(ImglabError, match="can't be read"):
        read_imglab(path)
    path.write_text("<svg/>", encoding="utf-8")
    with pytest.raises(ImglabError, match="starts with <svg>"):
        read_imglab(path)


def test_a_picture_that_is_none_is_refused(tmp_path: Path) -> None:

    (tmp_path / "a.jpg").write_bytes(b"no picture")
    (tmp_path / "boxes.xml").write_text("<dataset><images><image file='a.jpg'/></images></dataset>", encoding="utf-8")
    with pytest.raises(ImglabError, match="is no picture that can be read"):
        read_imglab(tmp_path / "boxes.xml")


@pytest.fixture(scope="module")
def pictures() -> Path:

    folder = os.environ.get("OVERHEARD_TRAINING_DATA")
    if not folder:
        pytest.skip("OVERHEARD_TRAINING_DATA names no data folder: the reader is not tested on real imglab files")
    return Path(folder) / "images"


@pytest.mark.parametrize(
    ("name", "images", "boxes", "parts"),
    [("testing", 5, 25, 0), ("training", 4, 18, 0), ("testing_with_face_landmarks", 5, 25, 68), ("training_with_face_landmarks", 4, 18, 68)],
)
def test_dlibs_own_files_are_read(pictures: Path, name: str, images: int, boxes: int, parts: int) -> None:
    dataset = read_imglab(pictures / "imglab_faces" / f"{name}.xml")
    found = [box for picture in dataset.pictures for box in picture.boxes]
    assert (len(dataset.pictures), len(found), dataset.reports) == (images, boxes, ())
    assert {len(box.parts) for box in found} == {parts}
    for picture in dataset.pictures:
        for box in picture.boxes:
            assert 0 <= box.left < box.right <= picture.width and 0 <= box.top < box.bottom <= picture.height


def test_the_vmware_file_is_read(pictures: Path) -> None:
    dataset = read_imglab(pictures / "vmware" / "imglab.xml")
    found = [box for picture in dataset.pictures for box in picture.boxes]
    assert len(dataset.pictures) == 68 and len(found) == 87
    assert {box.label for box in found} == {"vmware"}
    assert (sum(box.ignore for box in found), sum(box.difficult for box in found)) == (18, 10)
