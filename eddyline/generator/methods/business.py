"""The ``finance``, ``commerce``, ``phone`` and ``address`` modules of the template language."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from eddyline.generator.arguments import Arguments, text_of
from eddyline.generator.column import (
    At,
    Chars,
    Column,
    Either,
    Fixed,
    Joined,
    Span,
    Texts,
    Uniforms,
    join,
)
from eddyline.generator.methods.chance import DIGITS, replaced
from eddyline.generator.methods.method import Method, constant
from eddyline.generator.methods.word import CAPITAL_WORD

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
PHONES = ("###-###-####", "(###) ###-####", "1-###-###-####", "###.###.####", "###-###-#### x###")
TRANSACTIONS = ["deposit", "withdrawal", "payment", "invoice"]
STREETS = ["Street", "Road", "Lane", "Avenue", "Square", "Way"]
EARTH_RADIUS_KM = 6371.0
KM_A_MILE = 1.609344


def _phone(form: str) -> Column:
    return replaced({"#": DIGITS}, form)


def amount(args: Arguments) -> Column:
    return _money(args, 0)


def price(args: Arguments) -> Column:
    return _money(args, 1)


def _money(args: Arguments, low_default: float) -> Column:
    given = args.named("min", "max", "dec", "symbol")
    low = args.number(given, "min", low_default, -1e12, 1e12)
    high = args.number(given, "max", max(1000, low), -1e12, 1e12)
    places = args.whole(given, "dec", 2, 0, 6)
    if high < low:
        args.fail(f"max {high:g} is below min {low:g}")
    if (high - low) * 10**places > 2**53:
        args.fail("the range has too many digits for dec")
    return Joined(text_of(given.get("symbol", "")), Fixed(low, high, places))


def account(args: Arguments) -> Column:
    return Chars(DIGITS, args.whole(args.named("length"), "length", 8, 1))


def mask(args: Arguments) -> Column:
    return Chars(DIGITS, args.whole(args.named("length"), "length", 4, 1))


def phone_number(args: Arguments) -> Column:
    if args.values:
        return _phone(args.text("#"))
    return Either(*(_phone(p) for p in PHONES))


def phone_format(args: Arguments) -> Column:
    return _phone(PHONES[args.whole(args.named("index"), "index", 0, 0, len(PHONES) - 1)])


def zip_code(args: Arguments) -> Column:
    return _phone(args.text("#####"))


@dataclass(frozen=True, slots=True)
class Nearby:
    """A coordinate within a distance of a centre, evenly over the disc, as a JSON array."""

    latitude: float
    longitude: float
    radius_km: float
    slots: int = 2
    width: int = 64

    def build(self, u: Uniforms, at: At) -> Texts:
        distance = np.sqrt(u[:, 0]) * self.radius_km / EARTH_RADIUS_KM
        angle = u[:, 1] * 2 * math.pi
        here = math.radians(self.latitude)
        sine = np.sin(here) * np.cos(distance) + np.cos(here) * np.sin(distance) * np.cos(angle)
        latitude = np.arcsin(np.clip(sine, -1, 1))
        east = np.sin(angle) * np.sin(distance) * np.cos(here)
        turn = np.arctan2(east, np.cos(distance) - np.sin(here) * np.sin(latitude))
        longitude = (self.longitude + np.degrees(turn) + 540) % 360 - 180
        both = [
            pa.array(np.round(v, 4)).cast(pa.string()) for v in (np.degrees(latitude), longitude)
        ]
        return join(at.n, [both[0], ",", both[1]])


def nearby(args: Arguments) -> Column:
    given = args.named("coordinate", "radius", "isMetric")
    centre = args.items(given.get("coordinate"), "coordinate", [])
    if not centre:
        return Joined(Fixed(-90, 90, 4), ",", Fixed(-180, 180, 4))
    if len(centre) != 2:
        args.fail("coordinate needs a latitude and a longitude", "as in [52.5, 13.4]")
    latitude = args.number({"latitude": centre[0]}, "latitude", 0, -90, 90)
    longitude = args.number({"longitude": centre[1]}, "longitude", 0, -180, 180)
    radius = args.number(given, "radius", 10, 0, 20_000)
    return Nearby(latitude, longitude, radius if given.get("isMetric") else radius * KM_A_MILE)


_STREET = Joined(CAPITAL_WORD, " ", STREETS)
_NUMBER = r"-?\d+\.\d+"

METHODS = (
    Method("finance.amount", "(min, max, dec, symbol)", "An amount of money.", amount,
           "finance.amount(1,100)", r"\d{1,3}\.\d\d"),
    Method("finance.account", "(length)", "An account's number.", account, "finance.account",
           r"\d{8}"),
    Method("finance.mask", "(length)", "The last digits of an account.", mask, "finance.mask",
           r"\d{4}"),
    Method("finance.transactionType", "", "A kind of transaction.",
           constant(Joined(TRANSACTIONS)), "finance.transactionType", "[a-z]+"),
    Method("finance.bitcoinAddress", "", "An address in base 58.",
           constant(Joined(["1", "3"], Chars(BASE58, 33))), "finance.bitcoinAddress",
           f"[13][{BASE58}]{{33}}"),
    Method("commerce.price", "(min, max, dec, symbol)", "A price.", price, "commerce.price",
           r"\d{1,4}\.\d\d"),
    Method("phone.phoneNumber", "(format)", "A telephone number.", phone_number,
           "phone.phoneNumber", r"[\d()x .-]+"),
    Method("phone.phoneNumberFormat", "(index)", "A telephone number in one format.",
           phone_format, "phone.phoneNumberFormat", r"\d{3}-\d{3}-\d{4}"),
    Method("phone.phoneFormats", "", "A format of telephone numbers.",
           constant(Joined(list(PHONES))), "phone.phoneFormats", r"[#()1x .-]+"),
    Method("address.zipCode", "(format)", "A zip code.", zip_code, "address.zipCode", r"\d{5}"),
    Method("address.latitude", "", "Degrees with four digits.", constant(Fixed(-90, 90, 4)),
           "address.latitude", _NUMBER),
    Method("address.longitude", "", "Degrees with four digits.", constant(Fixed(-180, 180, 4)),
           "address.longitude", _NUMBER),
    Method("address.nearbyGPSCoordinate", "({coordinate,radius,isMetric})",
           "Latitude and longitude within a radius (miles, or km if isMetric).", nearby,
           'address.nearbyGPSCoordinate({"coordinate":[52.5,13.4],"radius":10,"isMetric":true})',
           r"-?\d+(\.\d+)?,-?\d+(\.\d+)?"),
    Method("address.streetName", "", "A made-up street.", constant(_STREET),
           "address.streetName", "[A-Z][a-z]+ [A-Z][a-z]+"),
    Method("address.streetAddress", "", "A made-up street and a number.",
           constant(Joined(Span(1, 999), " ", _STREET)), "address.streetAddress",
           r"\d+ [A-Z][a-z]+ [A-Z][a-z]+"),
    Method("address.secondaryAddress", "", "A flat's number.",
           constant(Joined(["Apt. ", "Suite "], Span(100, 900))), "address.secondaryAddress",
           r"(Apt\.|Suite) \d{3}"),
)  # fmt: skip
