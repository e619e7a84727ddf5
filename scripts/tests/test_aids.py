"""Files that other programs read: they parse, and name what exists."""

import json
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("path", sorted([*ROOT.glob(".github/**/*.yml"), ROOT / ".pre-commit-config.yaml"]), ids=str)
def test_yaml_parses(path):
    assert yaml.safe_load(path.read_text())


def test_the_workflow_runs_what_ci_runs():
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]
    commands = [step.get("run", "") for job in jobs.values() for step in job["steps"]]
    assert "bash .ci/run" in commands


def test_each_form_asks_for_something():
    forms = [path for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml"]
    assert len(forms) == 3
    for path in forms:
        form = yaml.safe_load(path.read_text())
        assert form["name"] and form["description"]
        assert any(field.get("validations", {}).get("required") for field in form["body"]), path


def test_hooks_call_steps_that_exist():
    import steps

    names = {step.name for step in steps.STEPS}
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    called = [hook["entry"].split()[-1] for hook in hooks if "scripts/test.py" in hook["entry"]]
    assert called and set(called) <= names


def test_the_dev_container_parses():
    assert json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())["name"] == "overheard"
