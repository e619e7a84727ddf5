"""The model card, README.md of a model folder, rendered from a Jinja template: no figure is typed by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def write_card(folder: Path, template: Path, **values: Any) -> None:
    """Renders `template` into the README.md of `folder`. A name that the template uses and `values` lacks is an error."""
    environment = Environment(
        loader=FileSystemLoader(template.parent), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
        autoescape=False,  # Markdown, not HTML
    )
    text = environment.get_template(template.name).render(**values)
    (folder / "README.md").write_text(text, encoding="utf-8")
