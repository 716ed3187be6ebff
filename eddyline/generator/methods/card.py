"""The ``helpers`` that are whole JSON objects: cards of people, and transactions."""

from __future__ import annotations

from eddyline.generator.arguments import Arguments
from eddyline.generator.column import Fixed, GeneratedColumn, Pick
from eddyline.generator.methods import business, date, internet, lists, place
from eddyline.generator.methods.method import Method
from eddyline.generator.methods.person import lorem_paragraph, lorem_sentence, lorem_words
from eddyline.generator.methods.word import built, full_name, quoted, record

_NONE = Arguments("", ())


def _company() -> GeneratedColumn:
    return record(
        {
            "name": quoted(business.company_name(_NONE)),
            "catchPhrase": quoted(business.catch_phrase()),
            "bs": quoted(business.bs()),
        }
    )


def _place() -> dict[str, GeneratedColumn | str]:
    point: dict[str, GeneratedColumn | str] = {
        "lat": quoted(Fixed(-90, 90, 4)),
        "lng": quoted(Fixed(-180, 180, 4)),
    }
    return {
        "city": quoted(place.city(_NONE)),
        "zipcode": quoted(place.zip_code(_NONE)),
        "geo": record(point),
    }


def _person() -> dict[str, GeneratedColumn | str]:
    return {
        "name": quoted(full_name()),
        "username": quoted(internet.people(_NONE)),
        "email": quoted(internet.email(_NONE)),
    }


def _reach() -> dict[str, GeneratedColumn | str]:
    return {
        "phone": quoted(place.phone_number(_NONE)),
        "website": quoted(internet.domain()),
        "company": _company(),
    }


def user_card() -> GeneratedColumn:
    street: dict[str, GeneratedColumn | str] = {
        "street": quoted(place.street()),
        "suite": quoted(place.secondary()),
    }
    return record({**_person(), "address": record({**street, **_place()}), **_reach()})


def contextual_card() -> GeneratedColumn:
    more: dict[str, GeneratedColumn | str] = {
        "dob": quoted(date.past(Arguments("", (50,)))),
        "phone": quoted(place.phone_number(_NONE)),
        "address": record({"street": quoted(place.street_address(_NONE)), **_place()}),
        "website": quoted(internet.domain()),
        "company": _company(),
        "avatar": quoted(internet.avatar()),
    }
    return record({**_person(), **more})


def card() -> GeneratedColumn:
    streets: dict[str, GeneratedColumn | str] = {
        "streetA": quoted(place.street()),
        "streetB": quoted(place.street_address(_NONE)),
        "streetC": quoted(place.street_address(Arguments("", (True,)))),
        **_place(),
        "state": quoted(place.state(_NONE)),
        "country": quoted(Pick(lists.address("countries"))),
    }
    post: dict[str, GeneratedColumn | str] = {
        "words": quoted(lorem_words(_NONE)),
        "sentence": quoted(lorem_sentence(_NONE)),
        "paragraph": quoted(lorem_paragraph(_NONE)),
    }
    return record(
        {
            **_person(),
            "address": record(streets),
            **_reach(),
            "posts": record(post),
            "transaction": transaction(),
        }
    )


def transaction() -> GeneratedColumn:
    return record(
        {
            "amount": quoted(business.amount(_NONE)),
            "date": quoted(date.recent(_NONE)),
            "business": quoted(business.company_name(_NONE)),
            "name": quoted(business.account_name()),
            "type": quoted(Pick(business.TRANSACTIONS)),
            "account": quoted(business.account(_NONE)),
        }
    )


_OBJECT = r'\{"[a-z]+":.+\}'

METHODS = (
    Method("helpers.createCard", "", "Somebody with address, company and posts, as JSON.",
           built(card), "helpers.createCard", _OBJECT),
    Method("helpers.contextualCard", "", "Somebody with birthday and picture, as JSON.",
           built(contextual_card), "helpers.contextualCard", _OBJECT),
    Method("helpers.userCard", "", "Somebody with address and company, as JSON.",
           built(user_card), "helpers.userCard", _OBJECT),
    Method("helpers.createTransaction", "", "A transaction, as JSON.", built(transaction),
           "helpers.createTransaction", _OBJECT),
)  # fmt: skip
