"""Lists of words, names and codes: those of Faker, loaded when a template first asks for one.

Only Faker's tables are used, never its calls: a method draws positions by column and takes the
words from here, so that no record costs a call. The library: https://faker.readthedocs.io
"""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any


@cache
def provider(name: str) -> Any:
    """A provider class of Faker, such as ``person.en_US``."""
    return importlib.import_module(f"faker.providers.{name}").Provider


@cache
def first_names(gender: str = "") -> list[str]:
    """First names; ``gender`` is empty, ``male`` or ``female``."""
    person = provider("person.en_US")
    return list(getattr(person, f"first_names_{gender}" if gender else "first_names"))


@cache
def last_names() -> list[str]:
    """Family names."""
    return list(provider("person.en_US").last_names)


@cache
def prefixes(gender: str = "") -> list[str]:
    """Mr., Dr. and others."""
    person = provider("person.en_US")
    if gender:
        return list(getattr(person, f"prefixes_{gender}"))
    return list(dict.fromkeys([*person.prefixes_male, *person.prefixes_female]))


@cache
def suffixes() -> list[str]:
    """Jr., PhD and others."""
    return list(provider("person.en_US").suffixes_male)


@cache
def domain_names() -> list[str]:
    """First names as parts of a domain."""
    return [n.lower() for n in first_names() if n.isascii() and n.isalpha()]


@cache
def latin() -> list[str]:
    """Words of filler text."""
    return list(provider("lorem.la").word_list)


@cache
def english(part: str) -> list[str]:
    """English words of one part of speech: noun, verb, adjective, adverb."""
    words = provider("lorem.en_US").parts_of_speech[part]
    return [w for w in dict.fromkeys(words) if w.isascii() and w.isalpha()]


@cache
def capitals(part: str) -> list[str]:
    """English words of one part of speech, with a capital."""
    return [w.capitalize() for w in english(part)]


def words() -> list[str]:
    """English words of any kind."""
    return list(provider("lorem.en_US").word_list)


def catch_phrase(part: int) -> list[str]:
    """The adjectives (0), descriptors (1) or nouns (2) of catch phrases."""
    return list(provider("company.en_US").catch_phrase_words[part])


def bs(part: int) -> list[str]:
    """The verbs (0), adjectives (1) or nouns (2) of business talk."""
    return list(provider("company.en_US").bsWords[part])


@cache
def jobs() -> list[str]:
    """Job titles of one kind of trade, without a comma or bracket."""
    return [j for j in provider("job.en_US").jobs if all(c.isalpha() or c == " " for c in j)]


def job_types() -> list[str]:
    """What somebody is: the last word of each job."""
    return sorted({j.split()[-1].capitalize() for j in jobs()})


def job_areas() -> list[str]:
    """What somebody does it with: the first word of each job of two."""
    return sorted({j.split()[0] for j in jobs() if len(j.split()) == 2})


def address(name: str) -> list[str]:
    """A table of American addresses, such as ``city_suffixes``."""
    return list(getattr(provider("address.en_US"), name))


def counties() -> list[str]:
    """Counties, of Britain."""
    return list(provider("address.en_GB").counties)


def time_zones() -> list[str]:
    """Time zones' names."""
    countries = provider("date_time").countries
    return list(dict.fromkeys(z for c in countries for z in c.timezones))


def capitals_of_countries() -> list[str]:
    """Capital cities."""
    return [c.capital for c in provider("date_time").countries]


def colours() -> list[str]:
    """Names of colours, lower case."""
    return list(provider("color").safe_colors)


def currencies() -> list[tuple[str, str, str]]:
    """Code, name and symbol of each currency."""
    currency = provider("currency")
    return [(code, name, currency.currency_symbols[code]) for code, name in currency.currencies]


@cache
def extensions(kind: str = "") -> list[str]:
    """File name extensions, of one kind or of all."""
    table = provider("file").file_extensions
    return list(table[kind]) if kind else list(dict.fromkeys(e for v in table.values() for e in v))


def file_kinds() -> list[str]:
    """Kinds of files there are extensions for."""
    return list(provider("file").file_extensions)


@cache
def mime_types(kind: str = "") -> list[str]:
    """Media types, of one kind or of all."""
    table = provider("file").mime_types
    return list(table[kind]) if kind else [m for v in table.values() for m in v]


def mime_kinds() -> list[str]:
    """The first half of media types."""
    return list(provider("file").mime_types)


def internet(name: str) -> list[str]:
    """A table of the internet, such as ``free_email_domains``."""
    return [str(v) for v in getattr(provider("internet.en_US"), name)]


def locales() -> list[str]:
    """Codes of languages."""
    return list(provider("person.en_US").language_locale_codes)


def plates() -> list[str]:
    """Forms of number plates: # is a digit, ? a letter."""
    return list(provider("automotive.en_US").license_formats)


BANKS = {"GB": "en_GB", "DE": "de_DE", "FR": "fr_FR", "NL": "nl_NL", "ES": "es_ES", "IT": "it_IT"}


def account_form(country: str) -> str:
    """An account's form in a country: # is a digit, ? a letter."""
    return str(provider(f"bank.{BANKS[country]}").bban_format)


def cards() -> dict[str, tuple[list[str], int]]:
    """Prefixes and length of each kind of payment card."""
    types = provider("credit_card").credit_card_types
    return {name: (list(card.prefixes), int(card.length)) for name, card in types.items()}
