"""Writes the model card, README.md of the model folder, from the manifest: no figure is typed by hand."""

from __future__ import annotations

from pathlib import Path

from training.capabilities import report
from training.capabilities.cases import run
from training.capabilities.onnx_model import OnnxModel
from training.capabilities.suite import all_tests

from .probes import PROBES, known_failures
from .runtime import ExportedModel

CORPORA = """\
| corpus | what | source and terms as far as known (not verified) |
|---|---|---|
| semeval, semeval_val, semeval_topic | tweets, three classes; the last with a topic | SemEval 2013-2016 tasks 2, 10 and 4; for research, tweets remain under X's terms |
| tse | tweets, three classes | Tweet Sentiment Extraction (Kaggle 2020); CC BY 4.0 stated there |
| brand_entity | posts on games and technology brands | Twitter entity sentiment (Kaggle); CC0 stated there |
| emoticon | tweets labelled by their emoticons | sample of Sentiment140 (Go et al. 2009); terms unclear |
| goemotions | Reddit comments | GoEmotions (Demszky et al. 2020); Apache-2.0 |
| software_engineering | Stack Overflow, GitHub, Jira, code and app reviews | several research sets; Stack Overflow text is CC BY-SA |
| sst5, reviews | sentences on films and products | Stanford Sentiment Treebank and similar; for research |
| targets | sentences and tweets with the label towards a term in them | SemEval 2014 task 4, MAMS and Dong et al. (2014), or similar; for research |
| brand_tweets, reddit_titles | unlabelled posts | for word vectors{pool}; terms unclear |
"""


def write_card(folder: Path, manifest: dict) -> None:
    """Renders the card of a published model and asks the model about the probes."""
    model = ExportedModel(folder)
    command = manifest["training"]["command"]
    towards = "training.towards" in command
    distilled = towards or "distillation" in command
    lines = [
        "# Sentiment of posts",
        "",
        "A two-layer bidirectional LSTM over word-piece vectors that gives the probability of negative, neutral and",
        f"positive for an English post{', as a whole or towards something that it names' if towards else ''}. `manifest.json` is its contract; this page is written from it by the training.",
        "",
        f"Version {manifest['version']}: {manifest['size']['parameters']:,} parameters, "
        f"{manifest['files']['model']['bytes'] / 1e6:.1f} MB, {manifest['size']['vocabulary']:,} word pieces, "
        f"at most {manifest['max_tokens']} tokens a text.",
        "",
        "## Figures",
        "Macro-averaged recall and accuracy in percent, expected calibration error from 0 to 1. All sets are held out from",
        "training, but all served to choose among models, and they set the temperatures: the figures are slightly kind.",
        "The error of a macro-averaged recall here is one point for `semeval_val` and up to two for the smaller sets.",
        "`semeval_topic`, `brand_entity` and `targets` are labelled towards something; the model is told what, where the text names it.",
        "",
        "| set | rows | macro recall | accuracy | calibration error |",
        "|---|---|---|---|---|",
    ]
    for name, figures in manifest["figures"].items():
        lines.append(
            f"| {name} | {figures['rows']} | {figures['macro_recall']:.1f} | {figures['accuracy']:.1f} "
            f"| {figures['expected_calibration_error']:.3f} |"
        )
    lines += ["", "Confusion on `semeval_val` (rows: truth, columns: model):", "", "| | negative | neutral | positive |", "|---|---|---|---|"]
    for label, row in zip(manifest["labels"], manifest["figures"]["semeval_val"]["confusion"], strict=True):
        lines.append(f"| {label} | {row[0]} | {row[1]} | {row[2]} |")
    lines += [
        "",
        "## Figures per capability",
        "Sentences made from templates (`training/capabilities`). The made-up sentences that train share no template, thing or brand",
        "with them, but were written by people who knew these tests and had read their failures: the figures are kind.",
        "",
        *report.table(run(all_tests(), OnnxModel(folder))),
    ]
    lines += ["", "## Data", CORPORA.format(pool=" and, labelled by the teacher, for training" if distilled else "")]
    lines += ["Training rows (hold-outs already taken out):", ""]
    for entry in manifest["training"]["data"]:
        more = f", {entry['share']:.0%} of them in a round, labels: {entry['labels']}" if "share" in entry else ""
        lines.append(f"- {entry['file']}: {entry['rows']}{more}")
    lines += [
        "",
        f"Command: `{command}`, {manifest['training']['seconds']} s of training on {manifest['training']['cpu']}.",
    ]
    if distilled:
        lines += [
            "",
            "Teachers were fine-tuned from `bge-small-en-v1.5` and `e5-small-v2` (MIT), that of the start from `all-MiniLM-L6-v2` "
            "(Apache-2.0). None of their weights are in this model."
            if towards
            else "The teacher was fine-tuned from `all-MiniLM-L6-v2` (Apache-2.0). None of its weights are in this model.",
        ]
    lines += known_failures(model, manifest["labels"], PROBES)
    lines += [
        "## Not for",
        "- Decisions about single persons (hiring, credit, moderation, policing): it errs on about three posts in ten.",
        "- Finding what somebody thinks of a thing that the post speaks of without naming it: a target must stand in the text."
        if towards
        else "- Finding what somebody thinks of one of several things in a post: it judges the text as a whole.",
        "- Languages other than English, irony, medical or legal text.",
        "- Comparing groups of people: texts by and about some groups may be judged more harshly; this was not measured.",
        "",
    ]
    (folder / "README.md").write_text("\n".join(lines), encoding="utf-8")
