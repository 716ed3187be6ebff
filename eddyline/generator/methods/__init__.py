"""The methods of the template language, one row each."""

from __future__ import annotations

from eddyline.generator.methods import business, chance, date, internet, person
from eddyline.generator.methods.method import Method

METHODS: dict[str, Method] = {
    m.name: m for rows in (chance, date, internet, business, person) for m in rows.METHODS
}

_NEEDS_WORDS = "it draws from a list of words that is not here yet"

# Methods of the public generator that are not here, and why: known, not forgotten.
UNSUPPORTED: dict[str, str] = {
    f"{module}.{name}": _NEEDS_WORDS
    for module, names in {
        "address": "city cityPrefix citySuffix county country countryCode state stateAbbr "
        "streetPrefix streetSuffix",
        "commerce": "color department product productAdjective productMaterial productName",
        "company": "bs bsAdjective bsBuzz bsNoun catchPhrase catchPhraseAdjective "
        "catchPhraseDescriptor catchPhraseNoun companyName companySuffix suffixes",
        "finance": "accountName currencyCode currencyName currencySymbol",
        "hacker": "abbreviation adjective ingverb noun phrase verb",
        "helpers": "contextualCard createCard createTransaction mustache userCard",
        "lorem": "lines paragraphs text",
        "name": "jobArea jobDescriptor jobTitle jobType title",
        "random": "locale",
        "system": "commonFileType fileType mimeType",
    }.items()
    for name in names.split()
}
