"""Words for the fields of frames. Brands are invented."""

from __future__ import annotations

THING = (
    "app", "update", "laptop", "phone", "headset", "keyboard", "camera", "website", "service", "router", "subscription",
    "dashboard", "installer", "printer", "tablet", "smartwatch",
)
DEVICE = ("laptop", "phone", "headset", "keyboard", "camera", "router", "printer", "tablet", "smartwatch", "monitor")
PART = ("screen", "battery", "keyboard", "camera", "menu", "design", "speaker", "support", "documentation", "packaging")
BRAND = ("Novaria", "Quillon", "Zenbrook", "Tarvix", "Lumora", "Brightel", "Orvane", "Kestrix", "Pellago", "Dunmere")

GOOD = (
    "good", "great", "excellent", "fantastic", "wonderful", "amazing", "brilliant", "superb", "awesome", "impressive",
    "outstanding", "lovely",
)
# Words whose negation is a complaint: "not reliable" is one, "not breathtaking" is none.
DECENT = ("good", "great", "useful", "reliable", "helpful", "impressive", "nice", "well made", "easy to use", "trustworthy")
BAD = (
    "bad", "terrible", "awful", "horrible", "dreadful", "disappointing", "useless", "annoying", "frustrating", "pathetic",
    "lousy", "unreliable",
)
LIKE = ("like", "love", "enjoy", "recommend", "trust", "appreciate")
HATE = ("hate", "dislike", "loathe", "despise", "detest")
# Neutral, also when negated.
PLAIN = ("Swiss", "blue", "black", "grey", "Italian", "rectangular", "annual", "seasonal", "Canadian", "second-hand")

NAME = (
    "Emma", "Liam", "Aisha", "Mohammed", "Wei", "Priya", "Juan", "Olga", "Kwame", "Yuki", "Fatima", "Dmitri", "Lakisha",
    "Sven", "Giulia", "Nguyen",
)
PLACE = (
    "Berlin", "Lagos", "Mumbai", "Toronto", "Osaka", "Lima", "Cairo", "Leeds", "Porto", "Seoul", "Baghdad", "Nairobi",
    "Denver", "Kyiv",
)
DAY = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
MEANWHILE = (
    "given all the hours that I have spent with it",
    "after everything I have read about it in the past few weeks",
    "having used it at work and at home since March",
    "with all the time that our team put into testing it",
    "and I have tried many of them over the years",
)
