"""The ``internet``, ``image`` and ``system`` modules of the template language."""

from __future__ import annotations

import string
from collections.abc import Callable

import pyarrow.compute as pc

from eddyline.generator.arguments import Arguments, text_of
from eddyline.generator.column import Chars, Column, Either, Joined, Mapped, Span
from eddyline.generator.methods.method import Method, constant
from eddyline.generator.methods.word import NAME, SURNAME, WORD

HEX = "0123456789abcdef"
OCTET = [str(k) for k in range(256)]
HEX_OCTET = [f"{k:02x}" for k in range(256)]
SUFFIXES = ["com", "net", "org", "info", "biz", "name"]
EXTENSIONS = ["json", "csv", "html", "png", "pdf", "txt", "mp4", "zip"]

_DOMAIN = Joined(WORD, ".", SUFFIXES)
_USER = Either(
    Joined(NAME, [".", "_"], SURNAME),
    Joined(NAME, [str(k) for k in range(100)]),
)
_CHROME = Joined([str(v) for v in range(110, 140)], ".0.", Span(4000, 3000), ".", Span(0, 250))
_SYSTEM = ["Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7", "X11; Linux x86_64"]
_KIT = " AppleWebKit/537.36 (KHTML, like Gecko) Chrome/"
_FIREFOX = [f"rv:{v}.0) Gecko/20100101 Firefox/{v}.0" for v in range(110, 140)]
_SAFARI = [f"Version/{v}.{m} Mobile/15E148 Safari/604.1" for v in range(15, 18) for m in range(6)]
_AGENT = Either(
    Joined("Mozilla/5.0 (", _SYSTEM, ")", _KIT, _CHROME, " Safari/537.36"),
    Joined("Mozilla/5.0 (", _SYSTEM, "; ", _FIREFOX),
    Joined(
        "Mozilla/5.0 (iPhone; CPU iPhone OS ", ["15_6", "16_4", "17_1"],
        " like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) ", _SAFARI,
    ),
    Joined("Mozilla/5.0 (Linux; Android ", ["11", "12", "13"], ")", _KIT, _CHROME,
           " Mobile Safari/537.36"),
)  # fmt: skip
_IP = Joined([str(k) for k in range(1, 224)], ".", OCTET, ".", OCTET, ".", OCTET)
_MAC = Joined(HEX_OCTET, ":", HEX_OCTET, ":", HEX_OCTET, ":", HEX_OCTET, ":", HEX_OCTET, ":",
              HEX_OCTET)  # fmt: skip
_AVATAR = Joined("https://avatars.example.org/", WORD, "/128.jpg")
_DIRECTORY = Joined("/", ["usr", "var", "srv", "home", "opt"], "/", WORD)
_FILE = Joined(WORD, "_", WORD, ".", EXTENSIONS)


def _people(args: Arguments) -> Column:
    given = args.named("firstName", "lastName")
    if not given:
        return _USER
    first, last = (given.get(k) for k in ("firstName", "lastName"))
    return Joined(text_of(first) if first else NAME, [".", "_"], text_of(last) if last else SURNAME)


def _lower(column: Column) -> Column:
    return Mapped(column, pc.utf8_lower)


def email(args: Arguments) -> Column:
    provider = args.named("firstName", "lastName", "provider").get("provider")
    return Joined(_people(args), "@", text_of(provider) if provider else _DOMAIN)


def example_email(args: Arguments) -> Column:
    return Joined(_people(args), "@example.", ["org", "com", "net"])


def password(args: Arguments) -> Column:
    given = args.named("len", "memorable", "pattern", "prefix")
    letters = string.ascii_letters + string.digits
    prefix = text_of(given.get("prefix", ""))
    return Joined(prefix, Chars(letters, args.whole(given, "len", 15, 0)))


def image(category: str | None) -> Callable[[Arguments], Column]:
    """The compiler of an image address, of a category or (None) of any."""
    kinds: list[str] | str = category if category is not None else list(IMAGES)

    def compile_image(args: Arguments) -> Column:
        given = args.named("width", "height")
        size = (args.whole(given, k, d, 1) for k, d in (("width", 640), ("height", 480)))
        width, height = size
        tail: list[Column | str | list[str]] = ["/", kinds] if kinds else []
        return Joined(f"https://images.example.org/{width}/{height}", *tail)

    return compile_image


IMAGES = [
    "abstract", "animals", "business", "cats", "city", "food", "nightlife",
    "fashion", "people", "nature", "sports", "technics", "transport",
]  # fmt: skip
_IMAGE_SHAPE = r"https://images\.example\.org/640/480"
_AGENT_SHAPE = r"Mozilla/5\.0 \([^)]+\).+"
_NAME = r"[A-Z][a-z]+([._][A-Z][a-z]+|\d{1,2})"
_HOST = r"[a-z]+\.(com|net|org|info|biz|name)"

METHODS = (
    Method("internet.session", "", "A session number of 16 digits.",
           constant(Span(10**15, 8 * 10**15)), "internet.session", r"\d{16}"),
    Method("internet.ip", "", "An IPv4 address.", constant(_IP), "internet.ip",
           r"(\d{1,3}\.){3}\d{1,3}"),
    Method("internet.mac", "", "A MAC address.", constant(_MAC), "internet.mac",
           "([0-9a-f]{2}:){5}[0-9a-f]{2}"),
    Method("internet.userAgent", "", "A browser's User-Agent.", constant(_AGENT),
           "internet.userAgent", _AGENT_SHAPE),
    Method("internet.url", "", "An address with a made-up domain.",
           constant(Joined(["http://", "https://"], _DOMAIN)), "internet.url",
           "https?://" + _HOST),
    Method("internet.protocol", "", "http or https.", constant(Joined(["http", "https"])),
           "internet.protocol", "https?"),
    Method("internet.domainName", "", "A made-up domain.", constant(_DOMAIN),
           "internet.domainName", _HOST),
    Method("internet.domainWord", "", "A made-up word.", constant(WORD), "internet.domainWord",
           "[a-z]+"),
    Method("internet.domainSuffix", "", "com, net, org …", constant(Joined(SUFFIXES)),
           "internet.domainSuffix", "[a-z]+"),
    Method("internet.userName", "(firstName, lastName)", "A user's name.", _people,
           "internet.userName", _NAME),
    Method("internet.email", "(firstName, lastName, provider)", "A mail address.", email,
           "internet.email", _NAME + "@" + _HOST),
    Method("internet.exampleEmail", "(firstName, lastName)", "A mail address nobody owns.",
           example_email, "internet.exampleEmail", _NAME + r"@example\.(org|com|net)"),
    Method("internet.avatar", "", "An address of a picture.", constant(_AVATAR),
           "internet.avatar", r"https://avatars\.example\.org/[a-z]+/128\.jpg"),
    Method("internet.color", "", "A colour.", constant(Joined("#", Chars(HEX, 6))),
           "internet.color", "#[0-9a-f]{6}"),
    Method("internet.password", "(len)", "Letters and digits, 15 by default.", password,
           "internet.password(20)", "[0-9A-Za-z]{20}"),
    Method("system.semver", "", "A version.",
           constant(Joined(Chars("123456789", 1), ".", Span(0, 10), ".", Span(0, 10))),
           "system.semver", r"\d\.\d\.\d"),
    Method("system.fileName", "", "A file's name.", constant(_FILE), "system.fileName",
           r"[a-z]+_[a-z]+\.\w+"),
    Method("system.commonFileName", "", "A file's name.", constant(_FILE),
           "system.commonFileName", r"[a-z]+_[a-z]+\.\w+"),
    Method("system.fileExt", "", "A file's extension.", constant(Joined(EXTENSIONS)),
           "system.fileExt", r"\w+"),
    Method("system.commonFileExt", "", "A file's extension.", constant(Joined(EXTENSIONS)),
           "system.commonFileExt", r"\w+"),
    Method("system.directoryPath", "", "A directory's path.", constant(_DIRECTORY),
           "system.directoryPath", "/[a-z]+/[a-z]+"),
    Method("system.filePath", "", "A file's path.", constant(Joined(_DIRECTORY, "/", _FILE)),
           "system.filePath", r"/[a-z]+/[a-z]+/[a-z]+_[a-z]+\.\w+"),
    Method("image.image", "(width, height)", "A picture's address.", image(None),
           "image.image", _IMAGE_SHAPE + "/[a-z]+"),
    Method("random.image", "", "A picture's address.", image(None), "random.image",
           _IMAGE_SHAPE + "/[a-z]+"),
    Method("image.imageUrl", "(width, height)", "A picture's address.", image(""),
           "image.imageUrl", _IMAGE_SHAPE),
    Method("image.avatar", "", "An address of a picture.", constant(_AVATAR), "image.avatar",
           r"https://avatars\.example\.org/[a-z]+/128\.jpg"),
    *(Method(f"image.{kind}", "(width, height)", "A picture's address.", image(kind),
             f"image.{kind}", f"{_IMAGE_SHAPE}/{kind}") for kind in IMAGES),
)  # fmt: skip
