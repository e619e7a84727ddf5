"""Frames about two things, `a` and `b`, one per line."""

from __future__ import annotations

from .words import lines

# `a` is better than `b`.
BETTER = lines("""
    {a} is so much better than {b}
    {a} beats {b} any day
    {b} can't keep up with {a}
    moved everything from {b} to {a}, no regrets
    {b} is worse than {a}
    compared with {a}, {b} is {bad}
    compared with {b}, {a} is {good}
    I would have {a} over {b}
    give me {a} instead of {b}
    {a} does what {b} only promises
    {b} should learn from {a}
    {b} is nowhere near as {good} as {a}
    switched from {b} to {a} and the {part} is so much better
    happy that we chose {a} and not {b}
    {a} first, {b} last
    {a} wins against {b}
    {b} loses to {a} in every test
    after years with {b} I am so happy with {a}
    I like {a} more than {b}
    {a} over {b}, always
    had a {mishap} with {b}, never with {a}
    my sister prefers {a} to {b}
    we'd prefer {a} over {b}
    {a} is preferable to {b}
    {a} is by far more {decent} than {b}
    {b} is less {decent} than {a}
    {a} is less {bad} than {b}
    {b} is by far more {bad} than {a}
    I'd go for {a} rather than {b}
    if I had to choose between {b} and {a}, it would be {a}
    of {a} and {b}, {a} is the one to get
    {b} doesn't come close to {a}
    {b} was replaced by {a} here, about time
    goodbye {b}, hello {a}
    got rid of {b} and got {a}
    {a} is {good}, unlike {b}
    unlike {a}, {b} is {bad}
    {a} outdoes {b} in all respects, {b} is {bad}
    {b} crashed three times, {a} never did
    {b} is a poor copy of {a}
    had {b} before, {a} is a relief
    {b} isn't half as {good} as {a}
""")
# Opposite sentiment: `x` describes `a`, `y` describes `b`.
DIFFERENT = lines("""
    {a} is {x} and {b} is {y}
    {a} is {x}, {b} on the contrary is {y}
    while {a} is {x}, {b} is {y}
    {a}: {x}. {b}: {y}.
    {x} {a}, though {y} {b}
    {a} is {x}, as {y} as {b} may be
    say what you want about {b} being {y}, {a} is {x}
    found {a} {x} and {b} {y}
    {a} was {x} {when}, {b} was {y}
    {a} gets it right? {x}, I'd say. {b} is {y}.
    {y} is the word for {b}, {x} the one for {a}
    if {b} weren't {y}... {a} at least is {x}
    {y}, that is {b}. {x}, that is {a}.
    {b} leaves me with one word: {y}. For {a} it is {x}.
    {b} could hardly be more {y}, {a} hardly more {x}
""")
# Two brands with opposite deeds: `a` did `x`, `b` did `y`.
DEEDS = lines("""
    {a} {x}, {b} {y}
    {a} {x}. {b} {y}.
    {b} {y}, while {a} {x}
    {a} {x} and {b}, well, {b} {y}
    whereas {b} {y}, {a} {x}
    one {x}: {a}. the other {y}: {b}
""")
# Sentiment towards `a`; `b` is only mentioned.
BESIDE = lines("""
    met people from {a} and {b} last week, {a} is {x}
    {b} is in the same street as {a}, and {a} is {x}
    {a} is {x}. Haven't used {b} so far.
    {a} {x}, and what about {b}?
    {b} sells that as well. Mine is from {a} and it is {x}.
    bought {a}, which is {x}; {b} was sold out
    {a} is {x}, no idea about {b}
    {a} is {x}, and {b} is {fact}
    {b} is {fact}. {a}, which I know, is {x}.
    can't say anything about {b}, but {a} is {x}
    {a} {x} as ever; next week we look at {b}
    on the way to {b} we passed {a}: {x}
    {b} and {a} were at the fair in {place} {when}. {a} was {x}.
    went to see {a} and {b} on {day}, and {a} was {x}
    {person} works for {b}, I work with {a}. It is {x}.
    {b} is from {place}, like {a}, which is {x}
    {a} and {b} share a building. I know {a}, it is {x}.
    {b} comes next week. {a} came {when} and is {x}.
    {a} is {x}; {b} I have yet to see
    we have {a} and {b}. {a} is {x}. {b} is {fact}.
    got {a}, {x}, and a leaflet of {b}
    {x} {a}; {b} is still in its box
    my verdict on {a}: {x}. {b} will follow.
    {person} asked about {b}, but I have only {a}: {x}
""")
# The same sentiment towards both.
ALIKE = lines("""
    {a} and {b} are both {x}
    {a} is as {x} as {b}
    {a} {x}, {b} {x}
    {x}, all of it: {a}, {b}
""")
