"""The providers of Datafaker that recipes use, each a row: its own column, or one of our methods.

Names are lower case and without underscores.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC
from typing import Any

from eddyline.generator.arguments import Arguments
from eddyline.generator.column import (
    Chars,
    Fixed,
    GeneratedColumn,
    Joined,
    NumberRange,
    Pick,
    SameText,
)
from eddyline.generator.methods import lists
from eddyline.generator.methods.checked import Isbn
from eddyline.generator.methods.date import Near
from eddyline.generator.methods.regexp import TemplatePatternError, compile_pattern
from eddyline.generator.methods.word import DIGITS, HEX, LOWER, UPPER, replaced, some_sentence
from eddyline.generator.moment import DAY_MS, compile_format

# How an instant is written; a timestamp column reads it again.
INSTANT = compile_format("YYYY-MM-DD HH:mm:ss.SSS")
UNITS_MS = {
    "NANOSECONDS": 0,
    "MICROSECONDS": 0,
    "MILLISECONDS": 1,
    "SECONDS": 1_000,
    "MINUTES": 60_000,
    "HOURS": 3_600_000,
    "DAYS": DAY_MS,
}
INT_MAX = 2**31 - 1

# Datafaker's name -> the name of our method that gives the same kind of text.
METHOD_NAMES: dict[str, str] = {
    "address.buildingnumber": "location.buildingNumber",
    "address.city": "address.city",
    "address.cityname": "address.city",
    "address.cityprefix": "address.cityPrefix",
    "address.citysuffix": "address.citySuffix",
    "address.country": "address.country",
    "address.countrycode": "address.countryCode",
    "address.fulladdress": "address.streetAddress",
    "address.latitude": "address.latitude",
    "address.longitude": "address.longitude",
    "address.postcode": "address.zipCode",
    "address.secondaryaddress": "address.secondaryAddress",
    "address.state": "address.state",
    "address.stateabbr": "address.stateAbbr",
    "address.streetaddress": "address.streetAddress",
    "address.streetaddressnumber": "location.buildingNumber",
    "address.streetname": "address.streetName",
    "address.streetsuffix": "address.streetSuffix",
    "address.timezone": "address.timeZone",
    "address.zip": "address.zipCode",
    "address.zipcode": "address.zipCode",
    "animal.name": "animal.type",
    "bool.bool": "random.boolean",
    "business.creditcardnumber": "finance.creditCardNumber",
    "business.creditcardtype": "finance.creditCardIssuer",
    "cat.breed": "animal.cat",
    "cat.name": "animal.petName",
    "code.imei": "phone.imei",
    "color.hex": "color.rgb",
    "color.name": "commerce.color",
    "commerce.brand": "company.companyName",
    "commerce.department": "commerce.department",
    "commerce.material": "commerce.productMaterial",
    "commerce.productname": "commerce.productName",
    "commerce.promotioncode": "commerce.productName",
    "commerce.vendor": "company.companyName",
    "company.bs": "company.bs",
    "company.buzzword": "company.catchPhraseAdjective",
    "company.catchphrase": "company.catchPhrase",
    "company.industry": "company.catchPhraseNoun",
    "company.name": "company.companyName",
    "company.profession": "name.jobType",
    "company.suffix": "company.companySuffix",
    "company.url": "internet.url",
    "country.capital": "address.cityName",
    "country.countrycode2": "address.countryCode",
    "country.currency": "finance.currencyName",
    "country.currencycode": "finance.currencyCode",
    "country.name": "address.country",
    "currency.code": "finance.currencyCode",
    "currency.name": "finance.currencyName",
    "dog.breed": "animal.dog",
    "dog.name": "animal.petName",
    "file.extension": "system.fileExt",
    "file.filename": "system.fileName",
    "file.mimetype": "system.mimeType",
    "finance.bic": "finance.bic",
    "finance.creditcard": "finance.creditCardNumber",
    "finance.iban": "finance.iban",
    "finance.nasdaqticker": "hacker.abbreviation",
    "finance.usroutingnumber": "finance.routingNumber",
    "funnyname.name": "name.fullName",
    "gender.binarytypes": "name.gender",
    "gender.types": "name.gender",
    "hacker.abbreviation": "hacker.abbreviation",
    "hacker.adjective": "hacker.adjective",
    "hacker.ingverb": "hacker.ingverb",
    "hacker.noun": "hacker.noun",
    "hacker.verb": "hacker.verb",
    "idnumber.valid": "phone.imei",
    "internet.avatar": "internet.avatar",
    "internet.botuseragentany": "internet.userAgent",
    "internet.domainname": "internet.domainName",
    "internet.domainsuffix": "internet.domainSuffix",
    "internet.domainword": "internet.domainWord",
    "internet.emailaddress": "internet.email",
    "internet.httpmethod": "internet.httpMethod",
    "internet.image": "image.image",
    "internet.ipv4address": "internet.ip",
    "internet.ipv6address": "internet.ipv6",
    "internet.macaddress": "internet.mac",
    "internet.password": "internet.password",
    "internet.privateipv4address": "internet.ip",
    "internet.publicipv4address": "internet.ip",
    "internet.safeemailaddress": "internet.exampleEmail",
    "internet.slug": "lorem.slug",
    "internet.url": "internet.url",
    "internet.useragent": "internet.userAgent",
    "internet.useragentany": "internet.userAgent",
    "internet.username": "internet.userName",
    "internet.uuid": "random.uuid",
    "internet.uuidv3": "random.uuid",
    "internet.webdomain": "internet.domainName",
    "job.title": "name.jobTitle",
    "lorem.character": "random.alphaNumeric",
    "lorem.word": "lorem.word",
    "name.firstname": "name.firstName",
    "name.fullname": "name.fullName",
    "name.lastname": "name.lastName",
    "name.name": "name.fullName",
    "name.namewithmiddle": "name.fullName",
    "name.prefix": "name.prefix",
    "name.suffix": "name.suffix",
    "name.title": "name.jobTitle",
    "name.username": "internet.userName",
    "phonenumber.cellphone": "phone.phoneNumber",
    "phonenumber.phonenumber": "phone.phoneNumber",
    "phonenumber.phonenumberinternational": "phone.phoneNumber",
    "random.hex": "string.hexadecimal",
    "vehicle.carmake": "vehicle.manufacturer",
    "vehicle.cartype": "vehicle.type",
    "vehicle.color": "commerce.color",
    "vehicle.fueltype": "vehicle.fuel",
    "vehicle.licenseplate": "vehicle.vrm",
    "vehicle.make": "vehicle.manufacturer",
    "vehicle.makeandmodel": "vehicle.vehicle",
    "vehicle.manufacturer": "vehicle.manufacturer",
    "vehicle.model": "vehicle.model",
    "vehicle.vin": "vehicle.vin",
    "word.adjective": "word.adjective",
    "word.noun": "word.noun",
    "word.verb": "word.verb",
    "word.adverb": "word.adverb",
    "book.author": "book.author",
    "book.genre": "book.genre",
    "book.publisher": "book.publisher",
    "book.title": "book.title",
}


def _whole(args: Arguments, place: int, name: str, default: int, low: int = -(2**62)) -> int:
    given = {name: args.values[place]} if len(args.values) > place else {}
    value = str(given.get(name, default)).strip().rstrip("Ll")
    try:
        number = int(value)
    except ValueError:
        args.fail(f"{name} is {value[:40]!r}", "it must be a whole number")
    if not low <= number <= 2**62:
        args.fail(f"{name} is {number}; it must be {low} or more")
    return number


def _real(args: Arguments, place: int, name: str, default: float) -> float:
    value = args.values[place] if len(args.values) > place else default
    try:
        number = float(str(value).strip())
    except ValueError:
        args.fail(f"{name} is {str(value)[:40]!r}", "it must be a number")
    if not abs(number) <= 1e15:
        args.fail(f"{name} is {number:g}; it must lie within 1e15")
    return number


def number_between(args: Arguments) -> GeneratedColumn:
    """The upper end is left out, unless it is the lower one, too."""
    low, high = _whole(args, 0, "min", 0), _whole(args, 1, "max", INT_MAX)
    if high < low:
        args.fail(f"max {high} is below min {low}")
    return NumberRange(low, max(1, high - low))


def random_double(args: Arguments) -> GeneratedColumn:
    places = _whole(args, 0, "maxNumberOfDecimals", 2, 0)
    low, high = sorted((_real(args, 1, "min", 0), _real(args, 2, "max", 100_000)))
    if places > 9 or (high - low) * 10**places > 2**53:
        args.fail("the range has too many digits")
    return Fixed(low, high, places)


def digits(args: Arguments) -> GeneratedColumn:
    count = _whole(args, 0, "count", 1, 1)
    if count > 1000:
        args.fail("there are at most 1000 digits")
    return Chars(DIGITS, count)


def random_number(args: Arguments) -> GeneratedColumn:
    if not args.values:
        return NumberRange(0, INT_MAX)
    count = _whole(args, 0, "numberOfDigits", 1, 1)
    if count > 18:
        args.fail("there are at most 18 digits")
    return NumberRange(10 ** (count - 1), 9 * 10 ** (count - 1))


def regexify(args: Arguments) -> GeneratedColumn:
    if not args.values:
        args.fail("a pattern is needed", "as in #{regexify '(a|b){1}'}")
    try:
        return compile_pattern(str(args.values[0]))
    except TemplatePatternError as error:
        args.fail(str(error))


def symbols(alphabets: dict[str, str]) -> Callable[[Arguments], GeneratedColumn]:
    """The compiler of a text in which some characters stand for random ones."""

    def compile_symbols(args: Arguments) -> GeneratedColumn:
        upper = len(args.values) > 1 and str(args.values[1]).lower() == "true"
        kinds = {k: v.upper() if upper and v == LOWER else v for k, v in alphabets.items()}
        return replaced(kinds, str(args.first("")))

    return compile_symbols


def option(args: Arguments) -> GeneratedColumn:
    if not args.values:
        args.fail("options are needed", "as in #{Options.option 'a','b'}")
    return Pick([str(v) for v in args.values])


def unit_of(args: Arguments, place: int) -> int:
    """Milliseconds of a unit's name; days without one."""
    unit = str(args.values[place]).upper() if len(args.values) > place else "DAYS"
    if unit not in UNITS_MS:
        args.fail(f"no unit of time is called {unit[:20]!r}", f"units are {', '.join(UNITS_MS)}")
    return UNITS_MS[unit]


def distance(sign: int) -> Callable[[Arguments], GeneratedColumn]:
    """``past``/``future``: at most, then at least so many units away."""

    def compile_distance(args: Arguments) -> GeneratedColumn:
        most = _whole(args, 0, "atMost", 1, 0)
        has_least = len(args.values) > 1 and str(args.values[1]).strip().isdigit()
        least = _whole(args, 1, "minimum", 0, 0) if has_least else 0
        unit_ms = unit_of(args, 2 if has_least else 1)
        pattern = args.values[2 + has_least] if len(args.values) > 2 + has_least else None
        if least > most:
            args.fail(f"the minimum {least} is above {most}")
        ends = sorted((sign * least * unit_ms, sign * most * unit_ms))
        return Near(ends[0], ends[1], None, _format(pattern), UTC)

    return compile_distance


def _format(pattern: object) -> Any:
    return INSTANT if pattern is None else compile_format(_moment(str(pattern)))


def _moment(java: str) -> str:
    """A Java pattern in moment's tokens."""
    out = []
    for k, piece in enumerate(java.split("'")):
        if k % 2:
            out.append(f"[{piece}]" if piece else "'")
        else:
            out.append(
                piece.replace("yyyy", "YYYY").replace("uuuu", "YYYY").replace("dd", "DD")
                .replace("EEEE", "dddd").replace("EEE", "ddd").replace("a", "A")
                .replace("XXX", "Z").replace("yy", "YY")
            )  # fmt: skip
    return "".join(out)


def birthday(args: Arguments) -> GeneratedColumn:
    low, high = _whole(args, 0, "minAge", 18, 0), _whole(args, 1, "maxAge", 65, 0)
    year_ms = int(365.2425 * DAY_MS)
    return Near(-max(low + 1, high) * year_ms, -low * year_ms, None, INSTANT, UTC)


def between_dates(args: Arguments) -> GeneratedColumn:
    from eddyline.generator.iso import parse_iso

    ends = [parse_iso(str(v)) for v in args.values[:2]]
    if len(ends) < 2 or ends[0] is None or ends[1] is None:
        args.fail("two dates are needed", "as in '2021-01-01 00:00:00'")
    low, high = sorted((ends[0], ends[1]))
    return Near(0, high - low, low, INSTANT, UTC)


def words(least: int) -> Callable[[Arguments], GeneratedColumn]:
    """The compiler of so many words of filler text, by default ``least``."""
    from eddyline.generator.methods.word import latin_words

    return lambda args: latin_words(min(1000, _whole(args, 0, "count", least, 1)))


def sentence(args: Arguments) -> GeneratedColumn:
    count = min(200, _whole(args, 0, "wordCount", 4, 1))
    return some_sentence(count, count + min(50, _whole(args, 1, "randomWordsToAdd", 6, 0)))


def paragraph(args: Arguments) -> GeneratedColumn:
    from eddyline.generator.methods.word import sentences

    return sentences(min(100, _whole(args, 0, "sentenceCount", 3, 1)))


def characters(args: Arguments) -> GeneratedColumn:
    count = min(100_000, _whole(args, 0, "count", 255, 1))
    return Chars(LOWER + DIGITS, count)


def digest(name: str, size: int) -> Callable[[Arguments], GeneratedColumn]:
    """The compiler of a hash of random bytes, which is as random as its digits."""
    assert hashlib.new(name).digest_size * 2 == size
    return lambda _: Chars(HEX, size)


def price(args: Arguments) -> GeneratedColumn:
    return Fixed(_real(args, 0, "min", 0), _real(args, 1, "max", 100), 2)


def temperature(low: int, high: int, unit: str) -> Callable[[Arguments], GeneratedColumn]:
    """The compiler of a temperature with its unit."""

    def compile_temperature(args: Arguments) -> GeneratedColumn:
        least, most = _whole(args, 0, "min", low), _whole(args, 1, "max", high)
        return Joined(NumberRange(least, max(1, most - least)), unit)

    return compile_temperature


CALLS: dict[str, Callable[[Arguments], GeneratedColumn]] = {
    "number.numberbetween": number_between,
    "random.nextint": number_between,
    "random.nextlong": number_between,
    "number.randomdouble": random_double,
    "number.randomdigit": lambda _: Chars(DIGITS, 1),
    "number.randomdigitnotzero": lambda _: Chars(DIGITS[1:], 1),
    "number.digit": lambda _: Chars(DIGITS, 1),
    "number.digits": digits,
    "number.randomnumber": random_number,
    "number.positive": lambda _: NumberRange(1, INT_MAX),
    "number.negative": lambda _: NumberRange(-INT_MAX, INT_MAX),
    "random.nextdouble": lambda _: Fixed(0, 1, 9),
    "random.nextboolean": lambda _: Pick(["true", "false"]),
    "bool.bool": lambda _: Pick(["true", "false"]),
    "regexify": regexify,
    "numerify": symbols({"#": DIGITS, "Ø": DIGITS[1:]}),
    "letterify": symbols({"?": LOWER}),
    "bothify": symbols({"#": DIGITS, "?": LOWER}),
    "examplify": lambda args: replaced(
        {c: DIGITS if c.isdigit() else UPPER if c.isupper() else LOWER
         for c in set(str(args.first(""))) if c.isalnum() and c.isascii()}, str(args.first(""))),
    "options.option": option,
    "date.past": distance(-1),
    "date.future": distance(1),
    "timeanddate.past": distance(-1),
    "timeanddate.future": distance(1),
    "time.past": distance(-1),
    "time.future": distance(1),
    "date.birthday": birthday,
    "timeanddate.birthday": birthday,
    "date.between": between_dates,
    "timeanddate.between": between_dates,
    "lorem.words": words(3),
    "lorem.sentence": sentence,
    "lorem.sentences": paragraph,
    "lorem.paragraph": paragraph,
    "lorem.paragraphs": paragraph,
    "lorem.characters": characters,
    "lorem.fixedstring": characters,
    "crypto.md5": digest("md5", 32),
    "crypto.sha1": digest("sha1", 40),
    "crypto.sha256": digest("sha256", 64),
    "crypto.sha512": digest("sha512", 128),
    "hashing.md5": digest("md5", 32),
    "hashing.sha1": digest("sha1", 40),
    "hashing.sha256": digest("sha256", 64),
    "hashing.sha512": digest("sha512", 128),
    "commerce.price": price,
    "internet.port": lambda _: NumberRange(0, 65_536),
    "internet.statuscode": lambda _: Pick(lists.internet("http_assigned_codes")),
    "code.isbn13": lambda _: Isbn(),
    "code.isbngs1": lambda _: SameText("978"),
    "code.asin": lambda _: Joined("B000", Chars(UPPER + DIGITS, 6)),
    "code.ean13": lambda _: Chars(DIGITS, 13),
    "code.ean8": lambda _: Chars(DIGITS, 8),
    "age.age": number_between,
    "weather.temperaturecelsius": temperature(-30, 38, "°C"),
    "weather.temperaturefahrenheit": temperature(-22, 100, "°F"),
    "aviation.flight": lambda _: Joined(Chars(UPPER, 2), NumberRange(1, 9_999)),
}  # fmt: skip
