"""Numbers with check digits: bank accounts, payment cards, vehicles, devices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eddyline.generator.arguments import Arguments, text_of
from eddyline.generator.column import (
    At,
    Chars,
    Either,
    GeneratedColumn,
    Joined,
    Pick,
    Texts,
    Uniforms,
    from_matrix,
    index,
    join,
    padded,
)
from eddyline.generator.methods import lists
from eddyline.generator.methods.method import Method
from eddyline.generator.methods.word import DIGITS, HEX, UPPER, built, replaced

# Vehicle numbers leave out I, O and Q; each letter counts as a digit (49 CFR 565).
VIN = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ"
_VIN_VALUES = np.array([*range(10), *range(1, 9), *range(1, 6), 7, 9, *range(2, 10)])
_VIN_WEIGHTS = np.array([8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2])
_ABA_WEIGHTS = np.array([3, 7, 1, 3, 7, 1, 3, 7])


def codes(alphabet: str) -> npt.NDArray[np.uint8]:
    """The bytes of an alphabet of single-byte characters."""
    return np.frombuffer(alphabet.encode("ascii"), np.uint8)


@dataclass(frozen=True, slots=True)
class Luhn:
    """A prefix, random digits and the check digit of ISO/IEC 7812; ``length`` digits in all."""

    prefix: str
    length: int

    @property
    def slots(self) -> int:
        return self.length - len(self.prefix) - 1

    @property
    def width(self) -> int:
        return self.length

    def build(self, u: Uniforms, at: At) -> Texts:
        out = np.empty((at.n, self.length), np.int64)
        out[:, : len(self.prefix)] = [int(c) for c in self.prefix]
        out[:, len(self.prefix) : -1] = index(u, 10)
        doubled = out[:, :-1][:, ::-1].copy()
        doubled[:, ::2] *= 2
        doubled -= 9 * (doubled > 9)
        out[:, -1] = -doubled.sum(axis=1) % 10
        return from_matrix((out + ord("0")).astype(np.uint8))


@dataclass(frozen=True, slots=True)
class Iban:
    """A country, the check digits of ISO 13616 and an account of the country's form."""

    country: str
    form: str

    @property
    def slots(self) -> int:
        return len(self.form)

    @property
    def width(self) -> int:
        return len(self.form) + 4

    def build(self, u: Uniforms, at: At) -> Texts:
        rest = np.zeros(at.n, np.int64)
        out = np.empty((at.n, len(self.form)), np.uint8)
        for place, symbol in enumerate(self.form):
            drawn = index(u[:, place], 26 if symbol == "?" else 10)
            out[:, place] = drawn + ord("A" if symbol == "?" else "0")
            rest = (rest * 100 + drawn + 10 if symbol == "?" else rest * 10 + drawn) % 97
        for letter in self.country:
            rest = (rest * 100 + ord(letter) - ord("A") + 10) % 97
        check = 98 - rest * 100 % 97
        return join(at.n, [self.country, padded(check, 2), from_matrix(out)])


@dataclass(frozen=True, slots=True)
class Routing:
    """Nine digits of an American bank, the last of which checks the others."""

    slots: int = 8
    width: int = 9

    def build(self, u: Uniforms, at: At) -> Texts:
        digits = index(u, 10)
        check = -(digits * _ABA_WEIGHTS).sum(axis=1) % 10
        out = np.concatenate([digits, check[:, None]], axis=1) + ord("0")
        return from_matrix(out.astype(np.uint8))


@dataclass(frozen=True, slots=True)
class Vin:
    """A vehicle's number of 17 characters; the ninth checks the others."""

    slots: int = 17
    width: int = 17

    def build(self, u: Uniforms, at: At) -> Texts:
        drawn = index(u, len(VIN))
        out = codes(VIN)[drawn]
        check = (_VIN_VALUES[drawn] * _VIN_WEIGHTS).sum(axis=1) % 11
        out[:, 8] = codes("0123456789X")[check]
        return from_matrix(out)


@dataclass(frozen=True, slots=True)
class Isbn:
    """An ISBN of 13 digits: 978 or 979, nine digits and the check digit of ISO 2108."""

    slots: int = 10
    width: int = 13

    def build(self, u: Uniforms, at: At) -> Texts:
        out = np.empty((at.n, 13), np.int64)
        out[:, :2] = (9, 7)
        out[:, 2] = 8 + index(u[:, 0], 2)
        out[:, 3:12] = index(u[:, 1:], 10)
        out[:, 12] = -(out[:, :12] * np.array([1, 3] * 6)).sum(axis=1) % 10
        return from_matrix((out + ord("0")).astype(np.uint8))


def iban(args: Arguments) -> GeneratedColumn:
    given = args.named("formatted", "countryCode")
    country = text_of(given.get("countryCode", ""))
    if not country:
        return Either(*(Iban(c, _account(c)) for c in lists.BANKS))
    if country not in lists.BANKS:
        args.fail(f"no bank of {country[:10]} is known", f"there are {', '.join(lists.BANKS)}")
    return Iban(country, _account(country))


def _account(country: str) -> str:
    return lists.account_form(country)


def bic() -> GeneratedColumn:
    country = Pick(lists.address("alpha_2_country_codes"))
    return Joined(Chars(UPPER, 4), country, Chars(UPPER + DIGITS, 2), ["", "XXX"])


def credit_card(args: Arguments) -> GeneratedColumn:
    cards = lists.cards()
    kind = text_of(args.named("provider").get("provider", ""))
    if kind and kind not in cards:
        args.fail(f"no card is called {kind[:20]}", f"there are {', '.join(cards)}")
    kinds = [cards[kind]] if kind else list(cards.values())
    whole = [
        Luhn(prefix, length)
        for prefixes, length in kinds
        for prefix in prefixes
        if prefix.isdigit()
    ]
    return Either(*whole)


def ethereum() -> GeneratedColumn:
    return Joined("0x", Chars(HEX, 40))


def plate() -> GeneratedColumn:
    forms = sorted(set(lists.plates()), key=lists.plates().index)[:12]
    return Either(*(replaced({"#": DIGITS, "?": UPPER}, form) for form in forms))


def imei() -> GeneratedColumn:
    return Luhn("35", 15)


METHODS = (
    Method("finance.iban", "(formatted, countryCode)", "An account with right check digits.",
           iban, "finance.iban", r"[A-Z]{2}\d\d[0-9A-Z]{10,26}"),
    Method("finance.bic", "", "A bank's code.", built(bic), "finance.bic",
           r"[A-Z]{6}[0-9A-Z]{2}(XXX)?"),
    Method("finance.creditCardNumber", "(provider)", "A card's number with right check digit.",
           credit_card, "finance.creditCardNumber", r"\d{12,19}"),
    Method("finance.creditCardCVV", "", "Three digits.", built(lambda: Chars(DIGITS, 3)),
           "finance.creditCardCVV", r"\d{3}"),
    Method("finance.routingNumber", "", "An American bank's number.", built(Routing),
           "finance.routingNumber", r"\d{9}"),
    Method("finance.ethereumAddress", "", "An address of 40 digits.", built(ethereum),
           "finance.ethereumAddress", "0x[0-9a-f]{40}"),
    Method("vehicle.vin", "", "A vehicle's number.", built(Vin), "vehicle.vin",
           "[0-9A-HJ-NPR-Z]{17}"),
    Method("vehicle.vrm", "", "A number plate.", built(plate), "vehicle.vrm", "[0-9A-Z -]+"),
    Method("phone.imei", "", "A device's number.", built(imei), "phone.imei", r"\d{15}"),
)  # fmt: skip
