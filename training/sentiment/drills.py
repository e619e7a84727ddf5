"""Made-up sentences for what labelled posts show too seldom: negation, contrast, former states, questions, comparisons,
irony with a marker, wishes; many of them towards a target.

Frames and words are our own. Most frames are others than those of `training.capabilities`, which measures what came of it,
but not all: "we left B for A and never looked back", "I thought A would be bad, but it wasn't" and "A used to be bad, now
it is good" stand in both, so version 3's figures on those tests are kind. (The idea of such data: Ribeiro et al., "Beyond Accuracy: Behavioral
Testing of NLP Models with CheckList", ACL 2020, used for training instead of testing.)
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

SURE = 0.92


@dataclass(frozen=True)
class Drill:
    """A sentence, probabilities of negative, neutral and positive, and the target that they are about, if any."""

    text: str
    probabilities: tuple[float, float, float]
    target: str | None = None


NEGATIVE, NEUTRAL, POSITIVE = (
    (SURE, (1 - SURE) * 0.7, (1 - SURE) * 0.3),
    ((1 - SURE) / 2, SURE, (1 - SURE) / 2),
    ((1 - SURE) * 0.3, (1 - SURE) * 0.7, SURE),
)
# "Not bad": praise or less.
NOT_NEGATIVE = (0.05, 0.4, 0.55)
LEANS_NEGATIVE = (0.7, 0.25, 0.05)

NAMES = """Acme Adidas Aldi Amazon AMD Android Apple Asus Azure BMW Boeing Bosch Canon Chrome Cisco Citrix Comcast Costco Dell
Delta Disney Docker Dropbox DHL eBay Ericsson ESXi Excel Facebook FedEx Fiat Firefox Ford Gmail Google GitHub Heineken Honda HP
Huawei Hulu Hyundai IBM Ikea Instagram Intel iPad iPhone Java Jira Kia Kubernetes Lenovo LG LinkedIn Linux Lyft Mac McDonalds
Mercedes Microsoft Minecraft Mozilla Nasa Netflix Nike Nintendo Nissan Nokia Nutanix Nvidia Oracle Outlook PayPal Pepsi Peugeot
Photoshop PlayStation Porsche PowerPoint Puma Python Reddit Renault Roku Ryanair Samsung SAP Siemens Slack Skype Sony Spotify
Starbucks Steam Subaru Target Telekom Tesla Teams TikTok Toyota Twitch Twitter Uber Ubuntu Unicef Verizon Visa VMware Vodafone
Volvo vSAN vSphere Walmart WhatsApp Windows Workstation Xbox Xerox Yahoo YouTube Zoom Zara Lumora Brentix Quandora Velory Tarnix
Okavi Feldspar Norvane Pixelweir Cloudmoor Hexaline""".split()
PARTS = """app battery billing breakfast camera checkout client coffee console customer service dashboard delivery design
display documentation driver engine food fit graphics hardware helpdesk hotline installer interface keyboard layout licensing
login lounge manual menu migration music network onboarding packaging performance phone plot portal pricing printer quality
range refund room screen search seats server setup shipping signal site sound staff storage store story support toolbar touchpad
training trial update upgrade user interface voice waiter website wifi""".replace("customer service", "customer_service").replace("user interface", "user_interface").split()
GOOD = """good great excellent amazing awesome brilliant superb wonderful fantastic impressive reliable solid helpful fast smooth
useful lovely pleasant beautiful perfect outstanding delightful friendly convincing stable fun easy comfortable enjoyable generous
tasty worth it""".replace("worth it", "worth_it").split()
BAD = """bad terrible awful horrible poor disappointing useless unreliable slow buggy broken annoying confusing ugly dreadful
frustrating overpriced clumsy rude painful unusable mediocre lousy pathetic boring laggy clunky noisy flimsy insulting
a joke a mess a disaster""".replace("a joke", "a_joke").replace("a mess", "a_mess").replace("a disaster", "a_disaster").split()
LIKE = "love enjoy like adore recommend trust appreciate".split()
HATE = "hate dislike despise regret loathe".split()
FACTS = """released in March|based in Berlin|on the second floor|available in three colours|written in Go|sold in twelve
countries|open until six|made of steel|part of the bundle|on the agenda for Tuesday|listed under settings|the size of a
book|at the trade fair|in the other building|scheduled for Monday""".replace("\n", " ").split("|")
ASIDES = """after all the talk about it|given what we paid last year|from what my colleagues tell me|with everything that
has happened since spring|looking at it from the outside|considering how long we waited|for somebody like me who uses it
daily|going by the last three weeks|even though I wanted it to work""".replace("\n", " ").split("|")
MISHAPS = """outage|crash|price increase|forced restart|delay|password reset|broken update|hour on hold|lost parcel|blue
screen|licence change|cancelled flight|data loss""".replace("\n", " ").split("|")
STRONG = "really very so truly absolutely incredibly extremely totally".split()
WEAK = "somewhat fairly quite rather pretty mostly".split()
WHEN = ["today", "this week", "last night", "since the update", "again", "this morning", ""]


def drills(count: int, seed: int) -> list[Drill]:
    """So many drills, each kind as often as the others."""
    rng = random.Random(f"drills {seed}")
    made: list[Drill] = []
    while len(made) < count:
        made.extend(_varied(one, rng) for one in rng.choice(KINDS)(rng))
    return made[:count]


def _words(value: str) -> str:
    return value.replace("_", " ")


class _Pick:
    """What one sentence is about."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.name, self.other = rng.sample(NAMES, 2)
        self.part, self.second = (_words(one) for one in rng.sample(PARTS, 2))
        self.good, self.bad = _words(rng.choice(GOOD)), _words(rng.choice(BAD))
        self.strong, self.weak = rng.choice(STRONG), rng.choice(WEAK)
        self.aside, self.mishap, self.fact = rng.choice(ASIDES), rng.choice(MISHAPS), rng.choice(FACTS)
        self.like, self.hate = rng.choice(LIKE), rng.choice(HATE)
        self.plain_bad = self.bad if not self.bad.startswith("a ") else "bad"
        self.plain_good = self.good if self.good != "worth it" else "good"
        self.target = rng.choice((self.name, f"the {self.part}", f"the {self.name} {self.part}"))
        self.asked = self.target.removeprefix("the ")

    def one(self, frames: list[str], probabilities: tuple[float, float, float]) -> Drill:
        """One of the frames, filled in; half of the time as a question about its target."""
        text = self.rng.choice(frames).format(**vars(self), when=self.rng.choice(WHEN))
        asked = self.asked if self.rng.random() < 0.5 and self.asked in text else None
        return Drill(" ".join(text.split()), probabilities, asked)


def _negation(rng: random.Random) -> list[Drill]:
    p = _Pick(rng)
    return [
        p.one(["{target} is not {good}", "{target} isn't {good} {when}", "{target} was not {good} at all", "{target} is anything but {plain_good}",
               "nothing {plain_good} about {target}", "{target} is far from {plain_good}", "nobody would call {target} {plain_good}",
               "this is not a {plain_good} {part}", "I do not {like} {target}", "we don't {like} {target} {when}", "I never {like} {target}",
               "can't say that {target} is {good}", "no, {target} is no longer {good}", "hardly {plain_good}, this {part}",
               "{target} has never been {good}", "I wouldn't say {target} is {good}", "{target} ain't {good}"], NEGATIVE),
        p.one(["I don't think, {aside}, that {target} is {good}", "it would be wrong, {aside}, to call {target} {plain_good}",
               "nobody in our office, {aside}, thinks that {target} is {good}", "I can't, {aside}, say that I {like} {target}",
               "there is no reason, {aside}, to {like} {target}"], NEGATIVE),
        p.one(["I thought {target} would be {good}, but it wasn't.", "we were told {target} is {good}. It is not.",
               "expected {target} to be {good}; it turned out otherwise", "everybody said {target} was {good}, sadly that is not true",
               "{target} should be {good} for this money. It isn't.", "hoped that {target} would be {good}... nope"], NEGATIVE),
        p.one(["{target} is not {bad}", "{target} isn't {bad} at all", "{target} was never {bad}", "not a {plain_bad} {part} at all",
               "I don't {hate} {target}", "no reason to {hate} {target}", "nothing {plain_bad} about {target}",
               "I thought {target} would be {bad}, but it wasn't", "expected {target} to be {bad}, and it is not",
               "I don't think, {aside}, that {target} is {bad}"], NOT_NEGATIVE),
        p.one(["{target} is not {fact}", "no, {target} isn't {fact}", "{target} was never {fact}", "I don't think {target} is {fact}",
               "{target} will not be {fact} this year"], NEUTRAL),
    ]


def _plain(rng: random.Random) -> list[Drill]:
    p = _Pick(rng)
    return [
        p.one(["{target} is {good}", "{strong} {plain_good}, this {name} {part}", "I {strong} {like} {target}", "{target} is {strong} {plain_good} {when}",
               "what a {plain_good} {part}, thanks {name}", "{target} is {weak} {plain_good}"], POSITIVE),
        p.one(["{target} is {bad}", "{strong} {plain_bad}, this {name} {part}", "I {strong} {hate} {target}", "{target} is {strong} {plain_bad} {when}",
               "what a {plain_bad} {part}, {name}", "another {mishap} {when}, thanks to {target}", "{target} is {weak} {plain_bad}"], NEGATIVE),
        p.one(["{target} is {fact}", "{target} was {fact} {when}", "the {part} of {name} is {fact}", "{name} and {other} are both {fact}"], NEUTRAL),
    ]


def _contrast(rng: random.Random) -> list[Drill]:
    p = _Pick(rng)
    frames = ["{a} is {x} but {b} is {y}", "{a} is {x}, {b} on the other hand is {y}", "while {a} is {x}, {b} is {y}", "{a}: {x}. {b}: {y}.",
              "{x} {a}, {y} {b}", "{a} is {x}, too bad that {b} is {y}" if rng.random() < 0.5 else "{a} is {x} even if {b} is {y}",
              "say what you want about {b} being {y}, {a} is {x}"]
    things = rng.choice(((p.name, p.other), (f"the {p.part}", f"the {p.second}"), (f"{p.name}'s {p.part}", f"{p.other}'s {p.second}")))
    first_good = rng.random() < 0.5
    x, y = (p.plain_good, p.plain_bad) if first_good else (p.plain_bad, p.plain_good)
    text = rng.choice(frames).format(a=things[0], b=things[1], x=x, y=y)
    said = (POSITIVE, NEGATIVE) if first_good else (NEGATIVE, POSITIVE)
    pairs = [Drill(text, probabilities, thing.removeprefix("the ")) for thing, probabilities in zip(things, said, strict=True)]
    aside = p.one(["{part} {plain_good}, no idea about the {second}", "the {part} is {plain_good}, and the {second} is {fact}"], POSITIVE)
    return [*pairs, Drill(aside.text, NEUTRAL, p.second), Drill(aside.text, POSITIVE, p.part)]


def _former(rng: random.Random) -> list[Drill]:
    p = _Pick(rng)
    return [
        p.one(["I used to {hate} {target}, now I {like} it", "{target} used to be {bad}, now it is {good}", "once {plain_bad}, {target} has become {plain_good}",
               "in the past I would {hate} {target}, not any more: it is {good}", "last year {target} was {bad}. Today it is {good}.",
               "it took a while, but {target} is {good} now"], POSITIVE),
        p.one(["I used to {like} {target}, now I {hate} it", "{target} used to be {good}, now it is {bad}", "once {plain_good}, {target} has become {plain_bad}",
               "back then {target} was {good}. Today it is {bad}.", "{target} was {good} until the last update made it {plain_bad}"], NEGATIVE),
        p.one(["{target} used to be {good}", "remember when {target} was {good}?", "I miss the days when {target} was {good}"], LEANS_NEGATIVE),
    ]


def _questions(rng: random.Random) -> list[Drill]:
    p = _Pick(rng)
    return [
        p.one(["is {target} {good}?", "does anyone know whether {target} is {good}?", "has anybody tried {target} {when}?", "would you {like} {target}?",
               "is {target} {bad} or is it {good}?", "which one is better, {name} or {other}?", "did {target} get {plain_good} since spring?",
               "do people still use {target}?", "can somebody tell me if {target} is {bad}?"], NEUTRAL),
        p.one(["why is {target} so {plain_bad}?", "how can {target} be so {plain_bad} {when}?", "who thought that this {plain_bad} {part} was a good idea, {name}?",
               "when will {target} stop being {bad}?"], NEGATIVE),
        p.one(["how is {target} so {plain_good}?!", "why did nobody tell me how {plain_good} {target} is?", "isn't {target} {plain_good}?"], POSITIVE),
    ]


def _comparison(rng: random.Random) -> list[Drill]:
    p = _Pick(rng)
    a, b = p.name, p.other
    frames = ["{a} is better than {b}", "{a} beats {b} any day", "{b} can't keep up with {a}", "we left {b} for {a} and never looked back",
              "{b} is worse than {a}", "compared with {a}, {b} is {bad}", "compared with {b}, {a} is {good}", "I would take {a} over {b}",
              "give me {a} instead of {b}", "{a} does what {b} only promises", "{b} should learn from {a}", "{b} is nowhere near as {plain_good} as {a}",
              "switched from {b} to {a} and the {part} is so much better"]
    text = rng.choice(frames).format(a=a, b=b, bad=p.plain_bad, good=p.plain_good, plain_good=p.plain_good, part=p.part)
    same = rng.choice(["{a} and {b} are both {x}", "{a} is as {x} as {b}", "neither {a} nor {b} is {y}"])
    good_alike = rng.random() < 0.5
    x, y = (p.plain_good, p.plain_bad) if good_alike else (p.plain_bad, p.plain_good)
    if same.startswith("neither"):
        alike = NOT_NEGATIVE if good_alike else NEGATIVE
    else:
        alike = POSITIVE if good_alike else NEGATIVE
    return [Drill(text, POSITIVE, a), Drill(text, NEGATIVE, b), Drill(same.format(a=a, b=b, x=x, y=y), alike, rng.choice((a, b, None)))]


def _irony(rng: random.Random) -> list[Drill]:
    p = _Pick(rng)
    return [
        p.one(["oh {plain_good}, another {mishap} from {name}. Just what I needed.", "thanks for the {mishap}, {name}, {strong} helpful /s",
               "yeah right, {target} is \"{plain_good}\"", "{target} is so {plain_good} that I had a {mishap} {when} #sarcasm",
               "a {mishap} {when}. Well done, {name} 👏 🙄", "nothing says {plain_good} like a {mishap}, {name}", "wow, a {mishap}. How {plain_good} of {name}.",
               "love it when {target} gives me a {mishap}"], NEGATIVE),
        p.one(["I wish {target} were {good}", "if only {target} was {good}", "would be nice if {target} was {good}", "{target} could be so {plain_good}"], LEANS_NEGATIVE),
    ]


def _marks(rng: random.Random) -> list[Drill]:
    p = _Pick(rng)
    stretched = "so" + "o" * rng.randint(1, 6)
    return [
        Drill(f"{stretched} {p.plain_good}, {p.target}{'!' * rng.randint(0, 5)}", POSITIVE, p.asked if rng.random() < 0.5 else None),
        Drill(f"{stretched} {p.plain_bad}, {p.target}{'!' * rng.randint(0, 5)}", NEGATIVE, p.asked if rng.random() < 0.5 else None),
        Drill(f"{p.target} {rng.choice('😍 🥰 😊 🎉 👍 ❤️ 🔥 💯 🙌 😀'.split())}", POSITIVE, p.asked if rng.random() < 0.5 else None),
        Drill(f"{p.target} {rng.choice('😡 😠 🤮 👎 😤 💩 😞 😢 🤬 😒'.split())}", NEGATIVE, p.asked if rng.random() < 0.5 else None),
        Drill(f"{p.fact} {p.target} #{p.rng.choice(('love', 'loving', 'best', 'great', 'amazing'))}{p.name.lower()}", POSITIVE),
        Drill(f"{p.fact} {p.target} #{p.rng.choice(('hate', 'worst', 'never', 'boycott', 'awful'))}{p.name.lower()}", NEGATIVE),
    ]


KINDS: list[Callable[[random.Random], list[Drill]]] = [_negation, _negation, _plain, _contrast, _former, _questions, _comparison, _irony, _marks]


def _varied(drill: Drill, rng: random.Random) -> Drill:
    """The same in other clothes: names of users, links, capitals, a wrong letter; none of it changes the feeling."""
    text, target = drill.text, drill.target
    if rng.random() < 0.4:
        text = text[0].upper() + text[1:]
    if rng.random() < 0.12:
        text = f"@{rng.choice(('jo', 'sam_k', 'vmug', 'it_maria', 'dev0ps'))} {text}"
    if rng.random() < 0.12:
        text = f"{text} https://t.co/{rng.randrange(16**6):x}"
    if rng.random() < 0.2 and not text.endswith(("?", "!", ".")):
        text += rng.choice((".", "!", "..."))
    if rng.random() < 0.1:
        text = text.lower()
    if rng.random() < 0.08 and len(text) > 12:
        at = rng.randrange(1, len(text) - 2)
        swapped = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
        if text[at : at + 2].isalpha() and (target is None or target.lower() in swapped.lower()):
            text = swapped
    return Drill(text, drill.probabilities, target)
