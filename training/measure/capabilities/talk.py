"""The four sentences of the talk that this project comes from; its model classified the second as positive."""

from __future__ import annotations

from fractions import Fraction

from .cases import IS_NEGATIVE, IS_POSITIVE, NEGATIVE, Case, OneOf, Test

CASES = (
    Case("VMware Horizon rocks!", IS_POSITIVE),
    Case("I don't like it at all. It does not work the way I think it should", OneOf((NEGATIVE,), at_least=0.8)),
    Case("It crashes. It's buggy. Don't waste your time on this", IS_NEGATIVE),
    Case("This software is market leading and will change the world", IS_POSITIVE),
)


def tests() -> list[Test]:
    return [Test("the talk", "its four sentences", Fraction(0), CASES)]
