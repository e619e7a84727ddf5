"""Writes the model's page, README.md of its folder, from the manifest: no figure is typed by hand."""

from __future__ import annotations

from pathlib import Path

from training.sentiment.probes import known_failures
from training.sentiment.runtime import ExportedModel

from .goldens import PROBES
from .reviews import TEST

TALK_SENTENCES = 4  # the first golden texts are the talk's


def write_card(folder: Path, manifest: dict) -> None:
    """Renders the page of a published model and asks the model about the probes."""
    size, training = manifest["size"], manifest["training"]
    lines = [
        "# Film reviews",
        "",
        "The talk's own task, film reviews that are negative or positive, with the best LSTM over word vectors that we could",
        "make, and the talk's network beside it. `manifest.json` is the model's contract; this page is written from it by the training.",
        "",
        f"Version {manifest['version']}: {size['vocabulary']:,} word pieces with vectors of {size['dimensions']} values, a bidirectional LSTM of",
        f"2 x {size['hidden']} units, pooled by attention, maximum and mean; {size['parameters']:,} parameters. Beside each word's vector the LSTM",
        f"reads two numbers: what the word pair and the word triple that end there weigh in a linear model ({size['weights_of_pairs_and_triples']:,} weights,",
        f"in the file). {manifest['files']['model']['bytes'] / 1e6:.1f} MB. A review is read up to {manifest['max_tokens']:,} tokens.",
        "",
        "The label `neutral` has always probability 0: the corpus has no neutral reviews. A text that says nothing gets one of the others.",
        "",
        "## Figures",
        "Accuracy in percent; expected calibration error from 0 to 1. `validation` is a tenth of the training half, cut by the hash of",
        "the text. Everything was chosen by it, so its figures are kind; it also shares films with what trained, and the test half does not.",
        "",
        "| set | rows | accuracy | macro recall | calibration error |",
        "|---|---|---|---|---|",
    ]
    for name, found in manifest["figures"].items():
        lines.append(
            f"| {name} | {found['rows']:,} | {found['accuracy']:.2f} | {found['macro_recall']:.2f} | {found['expected_calibration_error']:.3f} |"
        )
    shown = TEST if TEST in manifest["figures"] else "validation"
    counts = manifest["figures"][shown]["confusion"]
    lines += ["", f"Confusion on `{shown}` (rows: truth, columns: model):", "", "| | negative | positive |", "|---|---|---|"]
    lines += [f"| {name} | {counts[row][0]:,} | {counts[row][2]:,} |" for name, row in (("negative", 0), ("positive", 2))]
    plan = training["plan"]
    lines += [
        "",
        "The talk's network: vectors of 300 that stay as they are, one LSTM of 256 units with peepholes, read at its last step; Adam at",
        f"{plan['talk']['learning_rate']:g}, L2 of {plan['talk']['weight_decay']:g}, values of gradients clipped at {plan['talk']['clip']:g}; the first {plan['talk']['longest']} tokens; "
        f"{plan['talk']['epochs']} epochs. Its word2vec vectors",
        "are not ours to use: it got those that our network begins with. What each try brought is in training/films/findings.md.",
        "",
        "The talk's four sentences, which are not film reviews:",
        "",
        "| text | probability of positive |",
        "|---|---|",
        *(f"| {golden['text']} | {golden['probabilities'][2]:.3f} |" for golden in manifest["goldens"][:TALK_SENTENCES]),
        "",
        "## Data",
        f"`imdb_train` ({', '.join(format(entry['rows'], ',') for entry in training['data'])} reviews after validation was taken out) and `imdb_test`: the Large Movie Review set",
        "(Maas et al., ACL 2011), reviews by users of IMDb. As far as known the set names no licence (not verified); it is commonly used",
        "for research, and the reviews stay their authors'. No text of it is in this folder. The word vectors begin with",
        "those of models/sentiment, whose page says what they come from.",
        "",
        f"Command: `{training['command']}`, {training['seconds']} s of training.",
        *known_failures(ExportedModel(folder), manifest["labels"], PROBES),
        "## Not for",
        "- Posts, in place of `sentiment`: it has learned from long reviews of films alone and takes everything to be for or against.",
        "- Decisions about persons, or about a film by a few of its reviews.",
        "- Languages other than English.",
        "",
    ]
    (folder / "README.md").write_text("\n".join(lines), encoding="utf-8")
