"""The ``finance``, ``commerce``, ``company`` and ``hacker`` modules of the template language."""

from __future__ import annotations

import json

from eddyline.generator.arguments import Arguments, text_of
from eddyline.generator.column import Chars, Either, Fixed, GeneratedColumn, Joined, Pick, SameText
from eddyline.generator.methods import lists
from eddyline.generator.methods.method import Method, constant
from eddyline.generator.methods.word import DIGITS, NAME_SHAPE, WORD_SHAPE, built, drawn

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
TRANSACTIONS = ["deposit", "withdrawal", "payment", "invoice"]
ACCOUNTS = ["Checking", "Savings", "Credit Card", "Investment", "Home Loan", "Personal Loan"]


def amount(args: Arguments) -> GeneratedColumn:
    return _money(args, 0)


def price(args: Arguments) -> GeneratedColumn:
    return _money(args, 1)


def _money(args: Arguments, low_default: float) -> GeneratedColumn:
    given = args.named("min", "max", "dec", "symbol")
    low = args.number(given, "min", low_default, -1e12, 1e12)
    high = args.number(given, "max", max(1000, low), -1e12, 1e12)
    places = args.whole(given, "dec", 2, 0, 6)
    if high < low:
        args.fail(f"max {high:g} is below min {low:g}")
    if (high - low) * 10**places > 2**53:
        args.fail("the range has too many digits for dec")
    return Joined(text_of(given.get("symbol", "")), Fixed(low, high, places))


def account(args: Arguments) -> GeneratedColumn:
    return Chars(DIGITS, args.whole(args.named("length"), "length", 8, 1))


def mask(args: Arguments) -> GeneratedColumn:
    given = args.named("length", "parens", "elipsis")
    dots = "..." if given.get("elipsis") is True else ""
    opened, closed = ("(", ")") if given.get("parens") is True else ("", "")
    return Joined(opened + dots, Chars(DIGITS, args.whole(given, "length", 4, 1)), closed)


def bitcoin() -> GeneratedColumn:
    return Joined(["1", "3"], Chars(BASE58, 33))


def account_name() -> GeneratedColumn:
    return Joined(Pick(ACCOUNTS), " Account")


def company_name(args: Arguments) -> GeneratedColumn:
    last = Pick(lists.last_names())
    forms: list[GeneratedColumn] = [
        Joined(last, " ", company_suffix()),
        Joined(last, " - ", last),
        Joined(last, ", ", last, " and ", last),
    ]
    given = args.named("format")
    return forms[args.whole(given, "format", 0, 0, 2)] if given else Either(*forms)


def company_suffix() -> GeneratedColumn:
    return Pick(list(lists.provider("company.en_US").company_suffixes))


def company_suffixes() -> GeneratedColumn:
    return SameText(json.dumps(list(lists.provider("company.en_US").company_suffixes)))


def catch_phrase() -> GeneratedColumn:
    adjective, descriptor, noun = (Pick(lists.catch_phrase(k)) for k in range(3))
    return Joined(adjective, " ", descriptor, " ", noun)


def bs() -> GeneratedColumn:
    return Joined(Pick(lists.bs(0)), " ", Pick(lists.bs(1)), " ", Pick(lists.bs(2)))


def department(args: Arguments) -> GeneratedColumn:
    count = args.whole(args.named("max"), "max", 1, 1, 100)
    noun = Pick(lists.capitals("noun"))
    parts: list[GeneratedColumn | str] = [noun]
    for k in range(count - 1):
        parts += [" & " if k == count - 2 else ", ", noun]
    return Joined(*parts)


def product_name() -> GeneratedColumn:
    adjective, noun = Pick(lists.capitals("adjective")), Pick(lists.capitals("noun"))
    return Joined(adjective, " ", noun, " ", noun)


def product_description() -> GeneratedColumn:
    return Joined("The ", Pick(lists.english("adjective")), " ", Pick(lists.english("noun")),
                  " that makes every ", Pick(lists.english("noun")), " ",
                  Pick(lists.english("adjective")))  # fmt: skip


def abbreviations() -> list[str]:
    return [e.upper() for e in lists.extensions() if len(e) <= 4]


def adjectives() -> list[str]:
    return [w.lower() for w in lists.catch_phrase(1)]


def nouns() -> list[str]:
    return lists.catch_phrase(2)


def verbs() -> list[str]:
    return [w for w in lists.bs(0) if w.isalpha()]


def ing_verbs() -> list[str]:
    return [(w.removesuffix("e") if not w.endswith("ee") else w) + "ing" for w in verbs()]


def phrase() -> GeneratedColumn:
    verb, adjective, noun, short = (
        Pick(table) for table in (verbs(), adjectives(), nouns(), abbreviations())
    )
    things: list[GeneratedColumn | str] = ["the ", adjective, " ", short, " ", noun]
    return Either(
        Joined("If we ", verb, " the ", noun, ", we can get to the ", short, " ", noun,
               " through ", *things, "!"),
        Joined("We need to ", verb, " ", *things, "!"),
        Joined("Try to ", verb, " the ", short, " ", noun, ", maybe it will ", verb, " ",
               *things, "!"),
        Joined("You can't ", verb, " the ", noun, " without ", Pick(ing_verbs()), " ", *things,
               "!"),
    )  # fmt: skip


_NAMES = rf"{NAME_SHAPE}(,? (- |and )?{NAME_SHAPE}){{0,2}}( [A-Za-z ]+)?"
_PHRASE = r"[\w/'’ -]+"

METHODS = (
    Method("finance.amount", "(min, max, dec, symbol)", "An amount of money.", amount,
           "finance.amount(1,100)", r"\d{1,3}\.\d\d"),
    Method("finance.account", "(length)", "An account's number.", account, "finance.account",
           r"\d{8}"),
    Method("finance.accountName", "", "A kind of account.", built(account_name),
           "finance.accountName", r"[A-Z][a-z]+( [A-Z][a-z]+)* Account"),
    Method("finance.mask", "(length, parens, elipsis)", "The last digits of an account.", mask,
           "finance.mask", r"\d{4}"),
    Method("finance.transactionType", "", "A kind of transaction.",
           constant(Pick(TRANSACTIONS)), "finance.transactionType", "[a-z]+"),
    Method("finance.currencyCode", "", "A currency's code.",
           drawn(lambda: [c for c, _, _ in lists.currencies()]), "finance.currencyCode",
           "[A-Z]{3}"),
    Method("finance.currencyName", "", "A currency's name.",
           drawn(lambda: [n for _, n, _ in lists.currencies()]), "finance.currencyName",
           r"\w.+"),
    Method("finance.currencySymbol", "", "A currency's symbol.",
           drawn(lambda: [s for _, _, s in lists.currencies()]), "finance.currencySymbol",
           r"\S.{0,8}"),
    Method("finance.bitcoinAddress", "", "An address in base 58.", built(bitcoin),
           "finance.bitcoinAddress", f"[13][{BASE58}]{{33}}"),
    Method("commerce.color", "", "A colour.", drawn(lists.colours), "commerce.color", "[a-z ]+"),
    Method("commerce.department", "(max)", "A department, or several.", department,
           "commerce.department", NAME_SHAPE),
    Method("commerce.productName", "", "A product's name.", built(product_name),
           "commerce.productName", f"{NAME_SHAPE} {NAME_SHAPE} {NAME_SHAPE}"),
    Method("commerce.productAdjective", "", "What a product is like.",
           drawn(lambda: lists.capitals("adjective")), "commerce.productAdjective", NAME_SHAPE),
    Method("commerce.productMaterial", "", "What a product is made of.",
           drawn(lambda: lists.capitals("noun")), "commerce.productMaterial", NAME_SHAPE),
    Method("commerce.product", "", "A product.", drawn(lambda: lists.capitals("noun")),
           "commerce.product", NAME_SHAPE),
    Method("commerce.productDescription", "", "A product in a sentence.",
           built(product_description), "commerce.productDescription", r"The [a-z ]+"),
    Method("commerce.price", "(min, max, dec, symbol)", "A price.", price, "commerce.price",
           r"\d{1,4}\.\d\d"),
    Method("company.suffixes", "", "All suffixes of companies, as JSON.",
           built(company_suffixes), "company.suffixes", r'\["Inc".+\]'),
    Method("company.companyName", "(format)", "A company's name.", company_name,
           "company.companyName", _NAMES),
    Method("company.companySuffix", "", "Inc, LLC …", built(company_suffix),
           "company.companySuffix", r"[A-Za-z ]+"),
    Method("company.catchPhrase", "", "A slogan.", built(catch_phrase), "company.catchPhrase",
           _PHRASE),
    Method("company.bs", "", "Business talk.", built(bs), "company.bs", _PHRASE),
    Method("company.catchPhraseAdjective", "", "A slogan's first word.",
           drawn(lambda: lists.catch_phrase(0)), "company.catchPhraseAdjective", _PHRASE),
    Method("company.catchPhraseDescriptor", "", "A slogan's second word.",
           drawn(lambda: lists.catch_phrase(1)), "company.catchPhraseDescriptor", _PHRASE),
    Method("company.catchPhraseNoun", "", "A slogan's last word.",
           drawn(lambda: lists.catch_phrase(2)), "company.catchPhraseNoun", _PHRASE),
    Method("company.bsAdjective", "", "Business talk's adjective.", drawn(lambda: lists.bs(1)),
           "company.bsAdjective", _PHRASE),
    Method("company.bsBuzz", "", "Business talk's verb.", drawn(lambda: lists.bs(0)),
           "company.bsBuzz", _PHRASE),
    Method("company.bsNoun", "", "Business talk's noun.", drawn(lambda: lists.bs(2)),
           "company.bsNoun", _PHRASE),
    Method("hacker.abbreviation", "", "An abbreviation.", drawn(abbreviations),
           "hacker.abbreviation", "[A-Z0-9]{2,4}"),
    Method("hacker.adjective", "", "An adjective of the trade.", drawn(adjectives),
           "hacker.adjective", _PHRASE),
    Method("hacker.noun", "", "A noun of the trade.", drawn(nouns), "hacker.noun", _PHRASE),
    Method("hacker.verb", "", "A verb of the trade.", drawn(verbs), "hacker.verb", WORD_SHAPE),
    Method("hacker.ingverb", "", "A verb of the trade, in -ing.", drawn(ing_verbs),
           "hacker.ingverb", "[a-z]+ing"),
    Method("hacker.phrase", "", "A sentence of the trade.", built(phrase), "hacker.phrase",
           r"[A-Z][\w/'’ ,-]+!"),
)  # fmt: skip
