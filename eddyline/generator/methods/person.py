"""The ``name`` and ``lorem`` modules of the template language, from made-up words."""

from __future__ import annotations

from eddyline.generator.arguments import Arguments
from eddyline.generator.column import Column, Either, Joined
from eddyline.generator.methods.method import Method, constant
from eddyline.generator.methods.word import NAME, NAME_SHAPE, SURNAME, WORD, sentence, words

PREFIXES = ["Mr.", "Mrs.", "Ms.", "Miss", "Dr."]
SUFFIXES = ["Jr.", "Sr.", "I", "II", "III", "IV", "V", "MD", "DDS", "PhD", "DVM"]

_FULL = Joined(NAME, " ", SURNAME)
_SENTENCE = Either(*(sentence(k) for k in (3, 4, 5, 7, 9)))


def lorem_words(args: Arguments) -> Column:
    return words(args.whole(args.named("num"), "num", 3, 1, 1000))


def lorem_sentence(args: Arguments) -> Column:
    given = args.named("wordCount")
    return sentence(args.whole(given, "wordCount", 3, 1, 1000)) if given else _SENTENCE


def _sentences(count: int, between: str) -> Column:
    parts: list[Column | str] = [_SENTENCE]
    for _ in range(count - 1):
        parts += [between, _SENTENCE]
    return Joined(*parts)


def lorem_sentences(args: Arguments) -> Column:
    given = args.named("sentenceCount", "separator")
    count = args.whole(given, "sentenceCount", 4, 1, 100)
    return _sentences(count, str(given.get("separator", " ")))


def lorem_paragraph(args: Arguments) -> Column:
    return _sentences(args.whole(args.named("sentenceCount"), "sentenceCount", 3, 1, 100), " ")


_SENTENCE_SHAPE = r"[A-Z][a-z ]+\."

METHODS = (
    Method("name.firstName", "", "A made-up first name.", constant(NAME), "name.firstName",
           NAME_SHAPE),
    Method("name.lastName", "", "A made-up last name.", constant(SURNAME), "name.lastName",
           NAME_SHAPE),
    Method("name.findName", "", "First and last name.", constant(_FULL), "name.findName",
           f"{NAME_SHAPE} {NAME_SHAPE}"),
    Method("name.prefix", "", "Mr., Dr. …", constant(Joined(PREFIXES)), "name.prefix",
           r"[A-Z][a-z]+\.?"),
    Method("name.suffix", "", "Jr., III …", constant(Joined(SUFFIXES)), "name.suffix",
           r"[A-Za-z]+\.?"),
    Method("lorem.word", "", "A made-up word.", constant(WORD), "lorem.word", "[a-z]+"),
    Method("lorem.words", "(num)", "Made-up words, three by default.", lorem_words,
           "lorem.words(2)", "[a-z]+ [a-z]+"),
    Method("lorem.sentence", "(wordCount)", "A sentence of made-up words.", lorem_sentence,
           "lorem.sentence", _SENTENCE_SHAPE),
    Method("lorem.sentences", "(sentenceCount, separator)", "Sentences.", lorem_sentences,
           "lorem.sentences(2)", f"{_SENTENCE_SHAPE} {_SENTENCE_SHAPE}"),
    Method("lorem.paragraph", "(sentenceCount)", "Three sentences.", lorem_paragraph,
           "lorem.paragraph", r"([A-Z][a-z ]+\.\s?){3}"),
)  # fmt: skip
