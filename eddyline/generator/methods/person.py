"""The ``name`` and ``lorem`` modules of the template language."""

from __future__ import annotations

from eddyline.generator.arguments import Arguments, text_of
from eddyline.generator.column import Either, GeneratedColumn, Joined, Pick
from eddyline.generator.methods import lists
from eddyline.generator.methods.method import Method
from eddyline.generator.methods.word import (
    NAME_SHAPE,
    SENTENCE_SHAPE,
    WORD_SHAPE,
    Prose,
    built,
    drawn,
    full_name,
    latin_words,
    sentence,
    sentences,
    some_sentence,
)

GENDERS = {"0": "male", "1": "female", "male": "male", "female": "female"}
# What parts lines and paragraphs within a JSON record: an escape, so that a record stays a line.
NEWLINE = "\\n"


def _gender(args: Arguments) -> str:
    value = args.named("gender").get("gender")
    return "" if value is None else GENDERS.get(text_of(value).lower(), "")


def first_name(args: Arguments) -> GeneratedColumn:
    return Pick(lists.first_names(_gender(args)))


def prefix(args: Arguments) -> GeneratedColumn:
    return Pick(lists.prefixes(_gender(args)))


def find_name(args: Arguments) -> GeneratedColumn:
    given = args.named("firstName", "lastName", "gender")
    gender = GENDERS.get(text_of(given.get("gender", "")).lower(), "")
    first = given.get("firstName")
    last = given.get("lastName")
    return Joined(
        text_of(first) if first else Pick(lists.first_names(gender)),
        " ",
        text_of(last) if last else Pick(lists.last_names()),
    )


def job_title() -> GeneratedColumn:
    areas, kinds = Pick(lists.job_areas()), Pick(lists.job_types())
    return Joined(Pick(job_descriptors()), " ", areas, " ", kinds)


def job_descriptors() -> list[str]:
    return [w for w in lists.catch_phrase(0) if w.isalpha()]


def lorem_words(args: Arguments) -> GeneratedColumn:
    return latin_words(args.whole(args.named("num"), "num", 3, 1, 1000))


def lorem_sentence(args: Arguments) -> GeneratedColumn:
    given = args.named("wordCount", "range")
    if not given:
        return some_sentence()
    count = args.whole(given, "wordCount", 3, 1, 1000)
    spread = args.whole(given, "range", 0, 0, 20)
    if spread:
        return some_sentence(count, count + spread)
    return sentence(count)


def lorem_sentences(args: Arguments) -> GeneratedColumn:
    given = args.named("sentenceCount", "separator")
    count = args.whole(given, "sentenceCount", 4, 1, 100)
    return sentences(count, text_of(given.get("separator", " ")))


def lorem_paragraph(args: Arguments) -> GeneratedColumn:
    given = args.named("sentenceCount")
    count = args.whole(given, "sentenceCount", 0, 0, 100)
    return sentences(count) if count else Prose(3, 5)


def lorem_paragraphs(args: Arguments) -> GeneratedColumn:
    given = args.named("paragraphCount", "separator")
    separator = text_of(given.get("separator", NEWLINE))
    parts: list[GeneratedColumn | str] = []
    for _ in range(args.whole(given, "paragraphCount", 3, 1, 50)):
        parts += [separator, sentences(3)]
    return Joined(*parts[1:])


def lorem_lines(args: Arguments) -> GeneratedColumn:
    given = args.named("lineCount")
    count = args.whole(given, "lineCount", 0, 0, 200)
    return sentences(count, NEWLINE) if count else Prose(2, 5, between=NEWLINE)


def lorem_text(args: Arguments) -> GeneratedColumn:
    times = args.whole(args.named("times"), "times", 1, 1, 50)
    parts: list[GeneratedColumn | str] = []
    for _ in range(times):
        parts += [" ", Either(latin_words(1), Prose(1, 3))]
    return Joined(*parts[1:])


def slug(args: Arguments) -> GeneratedColumn:
    word = Pick(lists.latin())
    count = args.whole(args.named("wordCount"), "wordCount", 3, 1, 100)
    parts: list[GeneratedColumn | str] = []
    for _ in range(count):
        parts += ["-", word]
    return Joined(*parts[1:])


_TITLE = rf"{NAME_SHAPE} {NAME_SHAPE} {NAME_SHAPE}"
_SENTENCES = rf"{SENTENCE_SHAPE}(( |\\n){SENTENCE_SHAPE})*"

METHODS = (
    Method("name.firstName", "(gender)", "A first name; 0 is male, 1 is female.", first_name,
           "name.firstName", NAME_SHAPE),
    Method("name.lastName", "", "A last name.", drawn(lists.last_names), "name.lastName",
           NAME_SHAPE),
    Method("name.findName", "(firstName, lastName, gender)", "First and last name.", find_name,
           "name.findName", f"{NAME_SHAPE} {NAME_SHAPE}"),
    Method("name.middleName", "(gender)", "Another first name.", first_name, "name.middleName",
           NAME_SHAPE),
    Method("name.prefix", "(gender)", "Mr., Dr. …", prefix, "name.prefix", r"[A-Z][a-z]+\.?"),
    Method("name.suffix", "", "Jr., III …", drawn(lists.suffixes), "name.suffix",
           r"[A-Za-z]+\.?"),
    Method("name.gender", "", "male or female.", lambda _: Pick(["male", "female"]),
           "name.gender", "male|female"),
    Method("name.jobTitle", "", "A job.", built(job_title), "name.jobTitle", _TITLE),
    Method("name.title", "", "A job.", built(job_title), "name.title", _TITLE),
    Method("name.jobDescriptor", "", "What a job's title begins with.", drawn(job_descriptors),
           "name.jobDescriptor", NAME_SHAPE),
    Method("name.jobArea", "", "What a job is about.", drawn(lists.job_areas), "name.jobArea",
           NAME_SHAPE),
    Method("name.jobType", "", "What somebody is.", drawn(lists.job_types), "name.jobType",
           NAME_SHAPE),
    Method("name.fullName", "", "First and last name.", built(full_name), "name.fullName",
           f"{NAME_SHAPE} {NAME_SHAPE}"),
    Method("lorem.word", "", "A word.", drawn(lists.latin), "lorem.word", WORD_SHAPE),
    Method("lorem.words", "(num)", "Words, three by default.", lorem_words, "lorem.words(2)",
           "[a-z]+ [a-z]+"),
    Method("lorem.sentence", "(wordCount, range)", "A sentence.", lorem_sentence,
           "lorem.sentence", SENTENCE_SHAPE),
    Method("lorem.sentences", "(sentenceCount, separator)", "Sentences.", lorem_sentences,
           "lorem.sentences(2)", f"{SENTENCE_SHAPE} {SENTENCE_SHAPE}"),
    Method("lorem.paragraph", "(sentenceCount)", "Three to five sentences.", lorem_paragraph,
           "lorem.paragraph", _SENTENCES),
    Method("lorem.paragraphs", "(paragraphCount, separator)",
           "Paragraphs, parted by the two characters \\n, which JSON reads as a newline.",
           lorem_paragraphs, "lorem.paragraphs(2)", _SENTENCES),
    Method("lorem.lines", "(lineCount)",
           "Sentences, parted by the two characters \\n, which JSON reads as a newline.",
           lorem_lines, "lorem.lines(2)", rf"{SENTENCE_SHAPE}\\n{SENTENCE_SHAPE}"),
    Method("lorem.text", "(times)", "A word, a sentence or several.", lorem_text, "lorem.text",
           rf"[a-z]+|{_SENTENCES}"),
    Method("lorem.slug", "(wordCount)", "Words with dashes, three by default.", slug,
           "lorem.slug", "[a-z]+(-[a-z]+){2}"),
)  # fmt: skip
