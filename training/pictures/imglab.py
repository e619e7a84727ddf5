"""Reader of dlib's imglab XML: pictures with labelled boxes and parts.

The form is that of dlib's `tools/imglab` and `dlib/data_io/load_image_dataset.h`: a `dataset` with `images`, each
`image` with the attribute `file` and any number of `box` elements (`top`, `left`, `width`, `height` in pixels), which
hold a `label` and `part` elements (`name`, `x`, `y`). Coordinates count from the picture's upper left corner.

Files are untrusted, so the parser is expat itself, which refuses every declaration of an entity here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

# Attributes of a box that are flags: `1` or `true` sets them.
FLAGS = ("ignore", "difficult", "truncated", "occluded")
LARGEST_FILE = 64 * 1024 * 1024


class ImglabError(Exception):
    """An imglab file that can't be used; the message names file, line and what is wrong."""


@dataclass(frozen=True)
class Part:
    """A named point of an object, in pixels."""

    name: str
    x: float
    y: float


@dataclass(frozen=True)
class Box:
    """A labelled rectangle, in pixels; `label` is empty where the file gives none.

    `attributes` holds what else stood on the element: `pose`, `age`, `gender`, `angle` and the like.
    """

    left: float
    top: float
    width: float
    height: float
    label: str = ""
    ignore: bool = False
    difficult: bool = False
    truncated: bool = False
    occluded: bool = False
    parts: tuple[Part, ...] = ()
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def right(self) -> float:
        """Past the last column."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Past the last row."""
        return self.top + self.height


@dataclass(frozen=True)
class Picture:
    """One picture of the data set and its boxes, in the order of the file."""

    path: Path
    width: int
    height: int
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class Dataset:
    """What a file holds. `reports` says what was clipped or dropped, a sentence each."""

    name: str
    comment: str
    pictures: tuple[Picture, ...]
    reports: tuple[str, ...]


def read_imglab(path: Path, size_of: Callable[[Path], tuple[int, int]] | None = None) -> Dataset:
    """Reads a file; pictures are looked for beside it. Boxes that reach out of their picture are clipped and
    reported, those wholly outside are dropped and reported.

    `size_of` gives width and height of a picture; without it the picture's header is read.
    Raises ImglabError for broken XML, a picture that is missing or unreadable, and a box without numbers.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise ImglabError(f"{path}: {size} bytes are more than an imglab file may have ({LARGEST_FILE})")
        content = path.read_bytes()
    except OSError as error:
        raise ImglabError(f"{path}: can't be read: {error.strerror}") from error
    reader = _Reader(path)
    reader.parse(content)
    pictures, reports = [], []
    for line, file, raw in reader.images:
        picture_path = path.parent / file.replace("\\", "/")
        if not picture_path.is_file():
            raise ImglabError(f"{path}:{line}: there is no picture {file}")
        width, height = (size_of or _size_of_header)(picture_path)
        boxes = []
        for box_line, box in raw:
            kept, report = clipped(box, width, height)
            if report:
                reports.append(f"{path}:{box_line}: {file}: {report}")
            if kept:
                boxes.append(kept)
        pictures.append(Picture(picture_path, width, height, tuple(boxes)))
    return Dataset(reader.name.strip(), reader.comment.strip(), tuple(pictures), tuple(reports))


def clipped(box: Box, width: int, height: int) -> tuple[Box | None, str]:
    """A box as far as it lies in a picture of this size, or None; and what was done, or nothing."""
    described = f"box at left {box.left:g}, top {box.top:g}, {box.width:g} x {box.height:g}"
    left, top = max(box.left, 0), max(box.top, 0)
    right, bottom = min(box.right, width), min(box.bottom, height)
    if right <= left or bottom <= top:
        return None, f"dropped: {described} is wholly outside the {width} x {height} picture"
    if (left, top, right, bottom) == (box.left, box.top, box.right, box.bottom):
        return box, ""
    inside = Box(**{**box.__dict__, "left": left, "top": top, "width": right - left, "height": bottom - top})
    return inside, f"clipped: {described} reaches out of the {width} x {height} picture"


def _size_of_header(path: Path) -> tuple[int, int]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            return picture.size
    except (UnidentifiedImageError, OSError) as error:
        raise ImglabError(f"{path}: is no picture that can be read: {error}") from error


class _Reader:
    """Collects names, images and boxes, with the line that each stood on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = self.comment = ""
        self.images: list[tuple[int, str, list[tuple[int, Box]]]] = []
        self._open: list[str] = []
        self._text = ""
        self._box: dict | None = None
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.EntityDeclHandler = self._entity
        self._parser.ExternalEntityRefHandler = self._entity

    def parse(self, content: bytes) -> None:
        try:
            self._parser.Parse(content, True)
        except expat.ExpatError as error:
            raise ImglabError(f"{self.path}:{error.lineno}: broken XML: {expat.ErrorString(error.code)}") from error

    def _fail(self, message: str) -> ImglabError:
        return ImglabError(f"{self.path}:{self._parser.CurrentLineNumber}: {message}")

    def _entity(self, *_: object) -> None:
        raise self._fail("declares or uses an entity, which imglab files don't need")

    def _characters(self, text: str) -> None:
        self._text += text

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self._open and tag != "dataset":
            raise self._fail(f"is no imglab file: it starts with <{tag}>, not with <dataset>")
        self._open.append(tag)
        self._text = ""
        if tag == "image":
            if not attributes.get("file"):
                raise self._fail("an image names no file")
            self.images.append((self._parser.CurrentLineNumber, attributes["file"], []))
        elif tag == "box":
            if self._open[-2:-1] != ["image"]:
                raise self._fail("a box stands outside an image")
            self._box = self._fields_of_box(attributes)
        elif tag == "part" and self._box is not None:
            x, y = (self._number("part", attributes, key) for key in ("x", "y"))
            self._box["parts"].append(Part(attributes.get("name", ""), x, y))

    def _fields_of_box(self, attributes: dict[str, str]) -> dict:
        sides = {key: self._number("box", attributes, key) for key in ("top", "left", "width", "height")}
        if sides["width"] <= 0 or sides["height"] <= 0:
            raise self._fail(f"a box has no area: {sides['width']:g} x {sides['height']:g}")
        flags = {key: attributes.get(key, "0").lower() not in ("", "0", "false") for key in FLAGS}
        rest = {key: value for key, value in attributes.items() if key not in sides and key not in flags}
        return {**sides, **flags, "parts": [], "label": "", "attributes": rest, "line": self._parser.CurrentLineNumber}

    def _number(self, element: str, attributes: dict[str, str], key: str) -> float:
        try:
            value = float(attributes[key])
        except KeyError:
            raise self._fail(f"a {element} has no {key}") from None
        except ValueError:
            raise self._fail(f"{key} of a {element} is no number: {attributes[key]!r}") from None
        if not -1e7 < value < 1e7:  # also refuses nan
            raise self._fail(f"{key} of a {element} is no number of pixels: {attributes[key]!r}")
        return value

    def _end(self, tag: str) -> None:
        self._open.pop()
        if tag == "label" and self._box is not None:
            self._box["label"] = self._text.strip()
        elif tag == "box" and self._box is not None:
            fields = self._box
            self._box = None
            line = fields.pop("line")
            self.images[-1][2].append((line, Box(**{**fields, "parts": tuple(fields["parts"])})))
        elif tag == "name" and self._open == ["dataset"]:
            self.name = self._text
        elif tag == "comment" and self._open == ["dataset"]:
            self.comment = self._text
