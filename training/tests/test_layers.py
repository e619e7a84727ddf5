"""The layers of `training/`: imports go downward only."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# From the bottom up; packages of one layer don't import each other.
LAYERS = (("engine", "model_folder"), ("text", "pictures"), ("measure",), ("models",))
LEVEL = {package: level for level, packages in enumerate(LAYERS) for package in packages}


def imported(path: Path) -> set[str]:
    """The packages of `training/` that a file imports."""
    package = path.relative_to(ROOT).parent.parts
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            parts = (node.module or "").split(".") if node.module else []
            if node.level:
                base = package[: len(package) - node.level + 1]
                names = [(*base, *parts)] if parts else [(*base, alias.name) for alias in node.names]
            else:
                names = [tuple(parts[1:])] if parts[0] == "training" else []
            found.update(name[0] for name in names if name)
        elif isinstance(node, ast.Import):
            found.update(alias.name.split(".")[1] for alias in node.names if alias.name.startswith("training."))
    return found


def test_imports_go_downward_only() -> None:
    wrong = []
    for package, level in LEVEL.items():
        for path in sorted((ROOT / package).rglob("*.py")):
            for other in imported(path) - {package}:
                if LEVEL.get(other, len(LAYERS)) >= level:
                    wrong.append(f"{path.relative_to(ROOT)} imports {other}")
    assert not wrong


def test_the_check_sees_relative_and_absolute_imports() -> None:
    assert imported(ROOT / "models" / "logo_detector" / "publish.py") >= {"model_folder", "pictures"}
    assert imported(ROOT / "tests" / "test_engine.py") == {"engine"}
