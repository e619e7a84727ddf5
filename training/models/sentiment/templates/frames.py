"""Frames about one thing, one per line, grouped by sentiment and phenomenon.

Fields are the lists of words.py in lower case, and `target`: a brand, a part or both. `part2` and `name2` differ from `part` and `name`.
"""

from __future__ import annotations

from dataclasses import dataclass

from .words import lines

Probabilities = tuple[float, float, float]  # of negative, neutral and positive

NEGATIVE: Probabilities = (0.92, 0.056, 0.024)
NEUTRAL: Probabilities = (0.04, 0.92, 0.04)
POSITIVE: Probabilities = (0.024, 0.056, 0.92)
# "Not bad": positive or neutral.
NOT_NEGATIVE: Probabilities = (0.05, 0.4, 0.55)
# "Somewhat good".
WEAKLY_POSITIVE: Probabilities = (0.06, 0.3, 0.64)
WEAKLY_NEGATIVE: Probabilities = (0.64, 0.3, 0.06)
# "It was good once": mostly negative.
LEANS_NEGATIVE: Probabilities = (0.7, 0.25, 0.05)


@dataclass(frozen=True)
class Frames:
    """Frames of one kind. `weight`: its relative frequency."""

    weight: int
    probabilities: Probabilities
    frames: list[str]


def _frames(weight: int, probabilities: Probabilities, text: str) -> Frames:
    return Frames(weight, probabilities, lines(text))


def _of_bad(frames: list[str]) -> list[str]:
    """The same frames with negative words in place of positive ones."""
    return [frame.replace("{decent}", "{bad}").replace("{good}", "{bad}").replace("{like}", "{hate}") for frame in frames]


OVER_A_DISTANCE = lines("""
    I doubt, {aside}, that {target} is {decent}
    it would be wrong, {aside}, to call {target} {decent}
    nobody in our office, {aside}, thinks that {target} is {decent}
    we can't, {aside}, claim that {target} is {good}
    there is no reason, {aside}, to {like} {target}
    I won't, {aside}, tell you that I {like} {target}
    not one of my friends, {aside}, found {target} {decent}
    I don't believe, {aside}, anybody who calls {target} {good}
    I certainly do not, {aside}, {like} {target}
    {target} is not, {aside}, what I would call {decent}
    never, {aside}, did I find {target} {decent}
    I don't see, {aside}, how {target} is {decent}
    we don't think, {aside}, of {target} as {decent}
    I couldn't, {aside}, call {target} {decent}
    can't tell you, {aside}, that {target} is {decent}
    hardly anybody, {aside}, would {like} {target}
    I can't, {aside}, {like} {target}
    neither of us, {aside}, found {target} {decent}
""")
WEAKLY_GOOD = lines("""
    {target} turned out {weak} {good}
    {target} seems {weak} {good} {when}
    we found {target} {weak} {good}
    {weak} {good}, that {part} of {name}
    a {weak} {good} {part}
    {name} makes {weak} {good} things
""")
# About `target`; half of the sentences with a `target` field are labelled towards it.
ABOUT_ONE = [
    # negation
    _frames(5, NEGATIVE, """
        {target} is not {decent} {when}
        sorry, but {target} isn't {decent}
        {target} was not {decent} at all, {name}
        {target} is far from {decent}
        found nothing {decent} in {target}
        nobody could call {target} {decent} {when}
        this is not a {decent} {part}, {name}
        we don't {like} {target} {when}
        I never {like} {target}
        as for {target}, I do not {like} it
        {target} is no longer {decent}, is it
        hardly {decent}, this {part}
        {target} has never been {decent}
        I wouldn't say {target} is {decent}
        {target} ain't {decent}
        {target} doesn't feel {decent} to me
        {target} doesn't look {decent}, and I tried it twice
        not {decent}, not cheap: {target}
        no {decent} {part} here
        neither {decent} nor cheap, {target}
        can't {like} {target} the way it is now
        my team did not {like} {target} one bit
        there isn't a {decent} {part} in the whole place
        {target} does not work {when}
        {target} won't load and nobody helps
        you can't call that a {decent} {part}
        anything but a {good} {part}
        anything but {decent}, this {part}
        can't really say that I {like} {target}
        I couldn't say I {like} {target}
        no one on my team thinks {target} is {decent}
        none of my friends would call {target} {decent}
    """),
    _frames(5, NOT_NEGATIVE, """
        {target} is not {bad}, you know
        sorry, but {target} isn't {bad}
        {target} has never been {bad} for us
        {target} ain't {bad}
        not a {bad} {part} by any means
        we don't {hate} {target} {when}
        there's no reason to {hate} {target}
        nothing {bad} in {target} as far as I can see
        {target} isn't half as {bad} as they say
        can't call {target} {bad}
        nobody in our office finds {target} {bad}
        {target} doesn't feel {bad} to me
        {target} doesn't look {bad} either
        you can't call that a {bad} {part}
        {target} is far from {bad}
        {target} is everything but {bad}
        no {bad} {part} here
        neither {bad} nor expensive, {target}
        my team did not {hate} {target}
        I wouldn't say {target} is {bad}
        I never found {target} {bad}
        {target} is no longer {bad}
        never had a {bad} {part} from {name}
        no complaints about {target}
        {target} has no {bad} sides
        anything but a {bad} {part}
        anything but {bad}, this {part}
        can't really say that I {hate} {target}
        I couldn't say I {hate} {target}
        no one on my team thinks {target} is {bad}
        none of my friends would call {target} {bad}
    """),
    _frames(5, NEUTRAL, """
        sorry, {target} is not {fact}
        no, {target} isn't {fact}
        {target} was never {fact} before
        I don't believe {target} is {fact}
        {target} will not be {fact} this year
        {target} isn't {kind_of} {when}
        that is no {kind_of} {part}
        {target} was not {kind_of}, as far as I know
        we don't have a {kind_of} {part}
        {target} is not {kind_of}, it is something else
        not the {part}, I meant the {part2}
        they did not open it in March but in April
        I was not asking about {target}, I was asking about the {part2}
        we did not get {target} there
        it doesn't start on the 4th, it starts on the 5th
        {target} isn't in Hamburg, it is in Bonn
        the {part} didn't come with a {part2}
        haven't used {target} so far
        I do not own a {kind_of} {part}
        my {part} is not the {kind_of} one
        {target} isn't due before summer
        it's not a {part}, it's a {part2}
        nobody mentioned {target} in the meeting
        the talk on {target} isn't on {day}, it is a week later
        {person} is not from {place}
        {target} won't be shown on {day}, it will be shown in {place}
        the {part} was not delivered to {place} but to Bonn
        we did not see {person} at {name}
    """),
    _frames(3, NEGATIVE, """
        was {target} {decent}? Not really.
        some call {target} {good}. They are wrong.
        {target}, {decent}? No way.
        my boss says {target} is {good}, I disagree
        {good}, that is what {target} never was
        so {target} is {decent}? Nope, it's not.
        do we {like} {target}? Not one bit.
        they keep telling me that {target} is {good}. I can't agree.
        did I {like} {target}? I didn't.
        they announced a {good} {part}, and it is nothing of the sort
        a {decent} {part} it is not
        "{decent}", says the ad. No, {name}.
        {good}? This {part}? I think not.
        all my friends {like} {target}. Not me.
    """),
    _frames(3, NOT_NEGATIVE, """
        was {target} {bad}? Not really.
        some call {target} {bad}. They are wrong.
        {target}, {bad}? No way.
        my boss says {target} is {bad}, I disagree
        {bad}, that is what {target} never was
        so {target} is {bad}? Nope, it's not.
        do we {hate} {target}? Not one bit.
        they keep telling me that {target} is {bad}. I can't agree.
        did I {hate} {target}? I didn't.
        they warned me of a {bad} {part}, and it is nothing of the sort
        a {bad} {part} it is not
        "{bad}", says the review. No, it isn't.
        {bad}? This {part}? I think not.
        all my friends {hate} {target}. Not me.
    """),
    Frames(3, NEGATIVE, OVER_A_DISTANCE),
    Frames(3, NOT_NEGATIVE, _of_bad(OVER_A_DISTANCE)),
    _frames(2, NEGATIVE, """
        I was sure {target} would be {good}, well, no.
        we were told {target} is {good}. That is wrong.
        expecting {target} to be {good} was a mistake
        everybody said {target} was {good}, sadly that is not true
        {target} should be {good} for this money. Guess what.
        hoped that {target} would be {good}... nope
        {target} was announced as {good}, which it is not
        wanted to {like} {target}, couldn't
        who expected a {good} {part} was wrong
        I looked forward to a {good} {part}. What a let-down.
        promised to be {good}, {target} did not deliver
    """),
    _frames(2, NOT_NEGATIVE, """
        I was sure {target} would be {bad}, well, no.
        we were told {target} is {bad}. That is wrong.
        expecting {target} to be {bad} was a mistake
        everybody said {target} was {bad}, luckily that is not true
        feared that {target} would be {bad}; it turned out otherwise
        worried that {target} would be {bad}... nope
        {target} was announced as {bad}, which it is not
        wanted to {hate} {target}, couldn't
        who expected a {bad} {part} was wrong
        I dreaded a {bad} {part}. What a relief.
    """),
    # plain statements, intensified, weakened
    _frames(3, POSITIVE, """
        {target} is {good} {when}
        {strong} {good}, this {name} {part}
        I {strong} {like} {target}
        {target} is {strong} {good} {when}
        such a {good} {part}, thanks {name}
        finally a {good} {part}
        {good} work on the {part}, {name}
        couldn't be happier with {target}
        can't praise {target} enough
        you can't go wrong with {target}
        no better {part} than the one of {name}
    """),
    _frames(3, NEGATIVE, """
        {target} is {bad} {when}
        {strong} {bad}, this {name} {part}
        I {strong} {hate} {target}
        {target} is {strong} {bad} {when}
        such a {bad} {part}, {name}
        another {mishap} {when}, thanks to {target}
        yet another {bad} {part}
        {bad} work on the {part}, {name}
        couldn't be more disappointed with {target}
        can't warn you enough of {target}
        no worse {part} than the one of {name}
        {target} is a joke
        {target} is a mess {when}
    """),
    _frames(3, NEUTRAL, """
        {target} is {fact}
        {target} was {fact} {when}
        the {part} of {name} is {fact}
        {name} and {name2} are both {fact}
        a {kind_of} {part} and a {kind_of} {part2}
        {name} has a {kind_of} {part}
        the {kind_of} {part} is {fact}
        {name} announced a {kind_of} {part} {when}
        reading about {target} {when}
        my {part} and my {part2} are both from {name}
    """),
    Frames(2, WEAKLY_POSITIVE, WEAKLY_GOOD),
    Frames(2, WEAKLY_NEGATIVE, _of_bad(WEAKLY_GOOD)),
    _frames(3, NEUTRAL, """
        {name} moves its team to {place}
        {person} joins {name} in {place} as head of sales
        {name} shows its {kind_of} {part} in {place} on {day}
        {person} gives a talk on {target} on {day}
        a guide to the {part} of {name} is in the appendix
        the {part} goes on sale on {day} in {place}
        {person} and {name} sign a contract in {place}
        {name} hires in {place}, ask {person} for details
        {day}: {person} on {target}, room 4
        notes of {person} about {target}, page 12
        {name} closes its office in {place} on {day}
        there is a chapter about {target} in the book
        {target} is for sale in {place} until {day}
        {person} from {name} speaks in {place} {when}
        the users of {name} meet in {place} on {day}
    """),
    # contrast
    _frames(4, POSITIVE, """
        {target} may look {bad}, still, {happy}
        granted, the {part2} is {bad}, yet {happy}
        the start was {bad}, however {happy}
        no matter how {bad} others find {target}, {happy}
        {happy}, and that with {target} being {bad} at first sight
        {bad} {part2} or not, {happy}
        {target} got {bad} press. But {happy}!
        not cheap and {weak} {bad} to set up, but {happy}
        everyone told me it was {bad}, but {happy}
        in spite of a {bad} {part2}, {happy}
        though {name} has a {bad} name, {happy}
        while the {part2} is {bad}, {happy}
        {target} is {good}, even if the {part2} is {bad}
        {target} is {good}, and that although the {part2} is {bad}
        {good}, although I {hate} the {part2}
        I {like} {target}, {bad} {part2} and all
        yes, the {part2} is {bad}. {target} as a whole is {good} all the same.
    """),
    _frames(4, NEGATIVE, """
        {target} may look {good}, still, {sad}
        granted, the {part2} is {good}, yet {sad}
        the start was {good}, however {sad}
        no matter how {good} others find {target}, {sad}
        {sad}, and that with {target} being {good} at first sight
        {good} {part2} or not, {sad}
        {target} got {good} press. But {sad}!
        cheap and {weak} {good} to look at, but {sad}
        everyone told me it was {good}, but {sad}
        in spite of a {good} {part2}, {sad}
        though {name} has a {good} name, {sad}
        while the {part2} is {good}, {sad}
        {target} is {bad}, even if the {part2} is {good}
        {target} is {bad}, and that although the {part2} is {good}
        {bad}, although I {like} the {part2}
        I {hate} {target}, {good} {part2} or no {good} {part2}
        yes, the {part2} is {good}. {target} as a whole is {bad} all the same.
    """),
    # former states
    _frames(2, POSITIVE, """
        there was a time when I had to {hate} {target}, today I {like} it
        {target} began {bad} and is {good} by now
        once {bad}, {target} has become {good}
        in the past I would {hate} {target}, not any more: it is {good}
        last year {target} was {bad}. Today it is {good}.
        it took a while, but {target} is {good}, not {bad} as in spring
        from {bad} to {good}: {target}
        {target} got rid of everything {bad}. So {good} these days!
        no longer {bad}: {target} is {good} {when}
        the old {part} was {bad}, the new one is {good}
    """),
    _frames(2, NEGATIVE, """
        there was a time when I did {like} {target}, today I {hate} it
        {target} began {good} and is {bad} by now
        once {good}, {target} has become {bad}
        back then {target} was {good}. Today it is {bad}.
        {target} was {good} until the last update made it {bad}
        from {good} to {bad}: {target}
        {target} lost everything {good}. So {bad} these days!
        no longer {good}: {target} is {bad} {when}
        the old {part} was {good}, the new one is {bad}
        what happened to {target}? It was so {good}
    """),
    _frames(1, LEANS_NEGATIVE, """
        there was a time when {target} was {good}
        remember when {target} was {good}?
        I miss the days when {target} was {good}
        I wish {target} were {good}
        if only {target} was {good}
        would be nice if {target} was {good}
        {target} could be so {good}
    """),
    # questions
    _frames(3, NEUTRAL, """
        is {target} {decent} or not?
        has anybody tried {target} {when}?
        would you {like} {target}?
        is {target} {bad} or is it {decent}?
        which one is better, {name} or {name2}?
        did {target} get {decent} since spring?
        do people still use {target}?
        can somebody tell me if {target} is {bad}?
        how much is {target} {when}?
        any opinions on {target}?
        is the {kind_of} {part} from {name} or from {name2}?
        can {target} be {kind_of}?
        where do you keep your {part}?
    """),
    _frames(2, NEGATIVE, """
        why is {target} still {bad} {when}?
        how can {target} get so {bad} {when}?
        who thought that this {bad} {part} was a good idea, {name}?
        when will {target} stop being {bad}?
        why do I pay for a {bad} {part}?
        is it just me or is {target} {strong} {bad}?
        what is wrong with {target} {when}?
        does {target} ever work?
        another {mishap}, really {name}?
        would I pick {target} once more? Certainly not.
        does {target} keep its promises? It doesn't.
        should you get {target}? Please don't.
        {target}, any good? No.
        happy with {target}? Nope.
        was {target} {good}? Never.
        do I {like} {target} {when}? Not really.
        did {target} help? It did not.
        worth it? Not at all, {name}.
    """),
    _frames(2, POSITIVE, """
        how is {target} so {good}?!
        why did nobody tell me how {good} {target} is?
        isn't {target} {good}?
        was {target} {good}? Oh yes!
        did we {like} {target}? Very much so.
        would I pick {target} once more? Of course.
        does {target} keep its promises? It does.
        should you get {target}? Definitely.
        {target}, any good? Yes it is.
        happy with {target}? Yep.
        do I {like} {target} {when}? I sure do.
        did {target} help? It did.
        worth it? Every time, {name}.
    """),
    # irony with a marker
    _frames(3, NEGATIVE, """
        how {good}, another {mishap} from {name}. That was all I needed.
        thanks for the {mishap}, {name}, {strong} helpful /s
        sure, {target} is "{good}"
        {target} is so {good} that I had a {mishap} {when} #sarcasm
        a {mishap} {when}. Bravo, {name} 👏 🙄
        nothing says {good} like a {mishap}, {name}
        a {mishap}. How {good} of {name}.
        love it when {target} gives me a {mishap}
        ah yes, one more {mishap}, my favourite
        congrats {name} on the next {mishap} 🙄
        a {mishap}, just in time. Thx {name} 👏👏
        {target} and its {mishap}, a true delight #not
        big thanks to {name} for the {mishap} #irony
        yay, {mishap} number four {when} /s
        "{good} {part}", they said. Then came the {mishap}.
        my favourite part of {target} is the {mishap} 🙃
        well played, {name}: {misfortune} 👏
        {misfortune}. so {good}, {name} 🙄
        lovely, {misfortune} /s
        just perfect: {misfortune}
        {misfortune}, how nice #sarcasm
        fantastic news, {misfortune}
        bravo. {misfortune}.
        exactly what the day needed: {misfortune}
        {misfortune}. {good} as always, {name} /s
        {misfortune}, thanks a lot {name}
        {name} at its best: {misfortune} 👏
        "{good} {part}", sure. {misfortune}
        great, {misfortune} {when}
        super, {misfortune}. thx {name}
        {misfortune}. I am so happy now, {name} 🙄
        {misfortune}. what a service, {name} #not
        best day of my life: {misfortune} #irony
        {misfortune}? amazing work, {name} 👏👏👏
    """),
]
