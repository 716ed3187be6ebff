"""The ``address`` and ``phone`` modules of the template language."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from eddyline.generator.arguments import Arguments, text_of
from eddyline.generator.column import (
    At,
    Either,
    Fixed,
    GeneratedColumn,
    Joined,
    NumberRange,
    Pick,
    Texts,
    Uniforms,
    join,
)
from eddyline.generator.methods import lists
from eddyline.generator.methods.method import Method, constant
from eddyline.generator.methods.word import DIGITS, NAME_SHAPE, built, drawn, replaced

PHONES = (
    "N##-N##-####", "(N##) N##-####", "1-N##-N##-####", "N##.N##.####", "1-N##-N##-#### x###",
    "(N##) N##-#### x#####", "N##.N##.#### x####",
)  # fmt: skip
PHONE_SYMBOLS = {"#": DIGITS, "N": DIGITS[2:]}
# How a short form is asked for, in old and in new templates.
_SHORT = "(useAbbr) or ({abbreviated})"
DIRECTIONS = ["North", "East", "South", "West", "Northeast", "Northwest", "Southeast", "Southwest"]
EARTH_RADIUS_KM = 6371.0
KM_A_MILE = 1.609344


def phone_number(args: Arguments) -> GeneratedColumn:
    if args.values:
        return replaced({"#": DIGITS}, args.text("#"))
    return Either(*(replaced(PHONE_SYMBOLS, p) for p in PHONES))


def phone_format(args: Arguments) -> GeneratedColumn:
    place = args.whole(args.named("index"), "index", 0, 0, len(PHONES) - 1)
    return replaced(PHONE_SYMBOLS, PHONES[place])


def zip_code(args: Arguments) -> GeneratedColumn:
    return replaced({"#": DIGITS}, text_of(args.named("format").get("format", "#####")))


@dataclass(frozen=True, slots=True)
class Nearby:
    """A coordinate within a distance of a centre, evenly over the disc: latitude,longitude."""

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


def nearby(args: Arguments) -> GeneratedColumn:
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


def city(args: Arguments) -> GeneratedColumn:
    prefix, suffix = Pick(lists.address("city_prefixes")), Pick(lists.address("city_suffixes"))
    first, last = Pick(lists.first_names()), Pick(lists.last_names())
    forms: list[GeneratedColumn] = [
        Joined(prefix, " ", first, suffix),
        Joined(prefix, " ", first),
        Joined(first, suffix),
        Joined(last, suffix),
    ]
    given = args.named("format")
    return forms[args.whole(given, "format", 0, 0, 3)] if given else Either(*forms)


def street() -> GeneratedColumn:
    suffix = Pick(lists.address("street_suffixes"))
    return Joined(Pick(lists.last_names()), " ", suffix)


def secondary() -> GeneratedColumn:
    return Joined(["Apt. ", "Suite "], NumberRange(100, 900))


def street_address(args: Arguments) -> GeneratedColumn:
    parts: list[GeneratedColumn | str] = [NumberRange(100, 99_900), " ", street()]
    if args.flag("useFullAddress"):
        parts += [" ", secondary()]
    return Joined(*parts)


def state(args: Arguments) -> GeneratedColumn:
    short = args.flag("useAbbr", "abbreviated")
    return Pick(lists.address("states_abbr" if short else "states"))


def country_code(args: Arguments) -> GeneratedColumn:
    given = args.named("variant")
    alpha3 = (given.get("variant") or args.first()) == "alpha-3"
    return Pick(lists.address("alpha_3_country_codes" if alpha3 else "alpha_2_country_codes"))


def direction(args: Arguments) -> GeneratedColumn:
    """The last part of the tag's name selects the directions."""
    kinds = {"cardinalDirection": DIRECTIONS[:4], "ordinalDirection": DIRECTIONS[4:]}
    names = kinds.get(args.tag.rpartition(".")[2], DIRECTIONS)
    if args.flag("useAbbr", "abbreviated"):
        names = ["".join(c for c in d.replace("east", "E").replace("west", "W") if c.isupper())
                 for d in names]  # fmt: skip
    return Pick(names)


_NUMBER = r"-?\d+\.\d+"
_PLACE = r"[A-Z][A-Za-z' -]+"
_STREET = rf"{NAME_SHAPE} [A-Z][a-z]+"

METHODS = (
    Method("phone.phoneNumber", "(format)", "A telephone number.", phone_number,
           "phone.phoneNumber", r"[\d()x .-]+"),
    Method("phone.phoneNumberFormat", "(index)", "A telephone number in one format.",
           phone_format, "phone.phoneNumberFormat", r"\d{3}-\d{3}-\d{4}"),
    Method("phone.phoneFormats", "", "A format of telephone numbers.",
           constant(Pick([p.replace("N", "#") for p in PHONES])), "phone.phoneFormats",
           r"[#()1x .-]+"),
    Method("address.zipCode", "(format)", "A zip code.", zip_code, "address.zipCode", r"\d{5}"),
    Method("address.city", "(format)", "A made-up city.", city, "address.city", _PLACE),
    Method("address.cityName", "", "A capital city.", drawn(lists.capitals_of_countries),
           "address.cityName", r"\w.+"),
    Method("address.cityPrefix", "", "What a city's name begins with.",
           drawn(lambda: lists.address("city_prefixes")), "address.cityPrefix", "[A-Z][a-z]+"),
    Method("address.citySuffix", "", "What a city's name ends in.",
           drawn(lambda: lists.address("city_suffixes")), "address.citySuffix", "[a-z]+"),
    Method("address.streetName", "", "A made-up street.", built(street),
           "address.streetName", _STREET),
    Method("address.streetAddress", "(useFullAddress)", "A made-up street and a number.",
           street_address, "address.streetAddress", rf"\d{{3,5}} {_STREET}"),
    Method("address.streetSuffix", "", "What a street's name ends in.",
           drawn(lambda: lists.address("street_suffixes")), "address.streetSuffix",
           "[A-Z][a-z]+"),
    Method("address.streetPrefix", "", "A letter, as in the public generator.",
           constant(Pick(["a", "b", "c"])), "address.streetPrefix", "[a-c]"),
    Method("address.secondaryAddress", "", "A flat's number.", built(secondary),
           "address.secondaryAddress", r"(Apt\.|Suite) \d{3}"),
    Method("address.county", "", "A county.", drawn(lists.counties), "address.county", _PLACE),
    Method("address.country", "", "A country.", drawn(lambda: lists.address("countries")),
           "address.country", r"\w.+"),
    Method("address.countryCode", '("alpha-3")', "A country's code of two letters, or three.",
           country_code, "address.countryCode", "[A-Z]{2}"),
    Method("address.state", _SHORT, "A state of the USA.", state, "address.state",
           r"[A-Z][a-z]+( [A-Z][a-z]+)*"),
    Method("address.stateAbbr", "", "A state's code.",
           drawn(lambda: lists.address("states_abbr")), "address.stateAbbr", "[A-Z]{2}"),
    Method("address.timeZone", "", "A time zone's name.", drawn(lists.time_zones),
           "address.timeZone", r"[A-Za-z_-]+(/[A-Za-z_-]+)+"),
    Method("address.direction", _SHORT, "One of eight directions.", direction,
           "address.direction", "[A-Z][a-z]+"),
    Method("address.cardinalDirection", _SHORT, "One of four directions.", direction,
           "address.cardinalDirection", "North|East|South|West"),
    Method("address.ordinalDirection", _SHORT, "One of the directions in between.",
           direction, "address.ordinalDirection", "(North|South)(east|west)"),
    Method("address.latitude", "", "Degrees with four digits.", constant(Fixed(-90, 90, 4)),
           "address.latitude", _NUMBER),
    Method("address.longitude", "", "Degrees with four digits.", constant(Fixed(-180, 180, 4)),
           "address.longitude", _NUMBER),
    Method("address.nearbyGPSCoordinate", "({coordinate,radius,isMetric})",
           "Latitude and longitude within a radius (miles, or km if isMetric).", nearby,
           'address.nearbyGPSCoordinate({"coordinate":[52.5,13.4],"radius":10,"isMetric":true})',
           r"-?\d+(\.\d+)?,-?\d+(\.\d+)?"),
)  # fmt: skip
