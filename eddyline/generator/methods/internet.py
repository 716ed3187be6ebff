"""The ``internet``, ``image`` and ``system`` modules of the template language."""

from __future__ import annotations

import re
import string
from collections.abc import Callable

from eddyline.generator.arguments import Arguments, text_of
from eddyline.generator.column import Chars, Either, GeneratedColumn, Joined, NumberRange, Pick
from eddyline.generator.methods import lists
from eddyline.generator.methods.method import Method, constant
from eddyline.generator.methods.word import HEX, built, drawn

OCTET = [str(k) for k in range(256)]
HEX_OCTET = [f"{k:02x}" for k in range(256)]
SUFFIXES = ["com", "net", "org", "info", "biz", "name"]
METHOD_NAMES = ["GET", "POST", "PUT", "DELETE", "PATCH"]

_CHROME = Joined(
    [str(v) for v in range(110, 140)], ".0.", NumberRange(4000, 3000), ".", NumberRange(0, 250)
)
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
_MAC = Joined(HEX_OCTET, *(p for _ in range(5) for p in (":", HEX_OCTET)))
_IPV6 = Joined(Chars(HEX, 4), *(p for _ in range(7) for p in (":", Chars(HEX, 4))))


def domain() -> GeneratedColumn:
    return Joined(Pick(lists.domain_names()), ".", SUFFIXES)


def url() -> GeneratedColumn:
    return Joined(["http://", "https://"], domain())


def avatar() -> GeneratedColumn:
    return Joined("https://avatars.example.org/", Pick(lists.domain_names()), "/128.jpg")


def people(args: Arguments) -> GeneratedColumn:
    given = args.named("firstName", "lastName")
    first: GeneratedColumn | str = Pick(lists.first_names())
    last: GeneratedColumn | str = Pick([n for n in lists.last_names() if n.isalpha()])
    if given:
        first = text_of(given["firstName"]) if given.get("firstName") else first
        last = text_of(given["lastName"]) if given.get("lastName") else last
        return Joined(first, [".", "_"], last)
    numbers = [str(k) for k in range(100)]
    return Either(Joined(first, [".", "_"], last), Joined(first, numbers),
                  Joined(first, [".", "_"], last, numbers))  # fmt: skip


def email(args: Arguments) -> GeneratedColumn:
    provider = args.named("firstName", "lastName", "provider").get("provider")
    free = Pick(lists.internet("free_email_domains"))
    return Joined(people(args), "@", text_of(provider) if provider else free)


def example_email(args: Arguments) -> GeneratedColumn:
    return Joined(people(args), "@example.", ["org", "com", "net"])


def password(args: Arguments) -> GeneratedColumn:
    given = args.named("len", "memorable", "pattern", "prefix", "length")
    length = args.whole(given, "length" if "length" in given else "len", 15, 0)
    prefix = text_of(given.get("prefix", ""))
    if given.get("memorable") is True:
        pairs: list[GeneratedColumn | str] = [Chars("bcdfghjklmnprstvz", 1), Chars("aeiou", 1)]
        return Joined(prefix, *(pairs * ((length + 1) // 2))[:length])
    letters = string.ascii_letters + string.digits
    if "pattern" in given:
        letters = _matching(args, text_of(given["pattern"]))
    return Joined(prefix, Chars(letters, length))


def _matching(args: Arguments, pattern: str) -> str:
    try:
        letters = "".join(c for c in string.printable[:95] if re.fullmatch(pattern[:100], c))
    except (re.error, RecursionError, OverflowError) as error:
        args.fail(f"pattern: {error}", 'one character\'s, as in "[A-Z0-9]"')
    if not letters:
        args.fail("no character matches pattern", 'one character\'s, as in "[A-Z0-9]"')
    return letters


def color(args: Arguments) -> GeneratedColumn:
    given = args.named("baseRed255", "baseGreen255", "baseBlue255")
    parts: list[GeneratedColumn | str | list[str]] = ["#"]
    for name in ("baseRed255", "baseGreen255", "baseBlue255"):
        base = args.whole(given, name, 0, 0, 255)
        parts.append([f"{(k + base) // 2:02x}" for k in range(256)])
    return Joined(*parts)


def extension(args: Arguments) -> GeneratedColumn:
    kind = args.first()
    known = lists.file_kinds()
    return Pick(lists.extensions(kind if kind in known else ""))


def file_extension(args: Arguments) -> GeneratedColumn:
    """Of a media type: its second half, as far as there is no table of them."""
    mime_type = args.text("")
    kinds = {k: lists.extensions(k) for k in lists.file_kinds()}
    if "/" not in mime_type:
        return Pick(lists.extensions())
    kind, _, leaf = mime_type.partition("/")
    return Pick([leaf] if leaf in kinds.get(kind, []) else kinds.get(kind, [leaf or "bin"]))


def file_name(args: Arguments) -> GeneratedColumn:
    given = args.named("ext", "type")
    ext = text_of(given["ext"]) if "ext" in given else Pick(lists.extensions())
    return Joined(Pick(lists.english("noun")), ".", ext)


def directory() -> GeneratedColumn:
    return Joined("/", ["usr", "var", "srv", "home", "opt"], "/", Pick(lists.english("noun")))


def file_path(args: Arguments) -> GeneratedColumn:
    return Joined(directory(), "/", file_name(args))


def image(category: str | None) -> Callable[[Arguments], GeneratedColumn]:
    """The compiler of an image address, of a category or (None) of any."""
    kinds: list[str] | str = category if category is not None else list(IMAGES)

    def compile_image(args: Arguments) -> GeneratedColumn:
        given = args.named("width", "height", "category")
        size = (args.whole(given, k, d, 1) for k, d in (("width", 640), ("height", 480)))
        width, height = size
        tail: list[GeneratedColumn | str | list[str]] = ["/", kinds] if kinds else []
        if category == "" and given.get("category"):
            tail = ["/", text_of(given["category"])]
        return Joined(f"https://images.example.org/{width}/{height}", *tail)

    return compile_image


IMAGES = [
    "abstract", "animals", "business", "cats", "city", "food", "nightlife",
    "fashion", "people", "nature", "sports", "technics", "transport",
]  # fmt: skip
_IMAGE_SHAPE = r"https://images\.example\.org/640/480"
_AGENT_SHAPE = r"Mozilla/5\.0 \([^)]+\).+"
_NAME = r"[A-Z][a-z]+([._][A-Z][A-Za-z]+\d{0,2}|\d{1,2})"
_HOST = r"[a-z]+\.(com|net|org|info|biz|name)"
_AVATAR_SHAPE = r"https://avatars\.example\.org/[a-z]+/128\.jpg"

METHODS = (
    Method("internet.session", "", "A session number of 16 digits.",
           constant(NumberRange(10**15, 8 * 10**15)), "internet.session", r"\d{16}"),
    Method("internet.ip", "", "An IPv4 address.", constant(_IP), "internet.ip",
           r"(\d{1,3}\.){3}\d{1,3}"),
    Method("internet.ipv6", "", "An IPv6 address.", constant(_IPV6), "internet.ipv6",
           "([0-9a-f]{4}:){7}[0-9a-f]{4}"),
    Method("internet.port", "", "A port's number.", constant(NumberRange(0, 65_536)),
           "internet.port", r"\d{1,5}"),
    Method("internet.mac", "", "A MAC address.", constant(_MAC), "internet.mac",
           "([0-9a-f]{2}:){5}[0-9a-f]{2}"),
    Method("internet.httpMethod", "", "GET, POST …", constant(Pick(METHOD_NAMES)),
           "internet.httpMethod", "[A-Z]+"),
    Method("internet.httpStatusCode", "", "A status of HTTP.",
           drawn(lambda: lists.internet("http_assigned_codes")), "internet.httpStatusCode",
           r"[1-5]\d\d"),
    Method("internet.userAgent", "", "A browser's User-Agent.", constant(_AGENT),
           "internet.userAgent", _AGENT_SHAPE),
    Method("internet.url", "", "An address with a made-up domain.", built(url), "internet.url",
           "https?://" + _HOST),
    Method("internet.protocol", "", "http or https.", constant(Pick(["http", "https"])),
           "internet.protocol", "https?"),
    Method("internet.domainName", "", "A made-up domain.", built(domain),
           "internet.domainName", _HOST),
    Method("internet.domainWord", "", "A domain without its ending.",
           drawn(lists.domain_names), "internet.domainWord", "[a-z]+"),
    Method("internet.domainSuffix", "", "com, net, org …", constant(Pick(SUFFIXES)),
           "internet.domainSuffix", "[a-z]+"),
    Method("internet.userName", "(firstName, lastName)", "A user's name.", people,
           "internet.userName", _NAME),
    Method("internet.email", "(firstName, lastName, provider)", "A mail address.", email,
           "internet.email", _NAME + r"@[a-z]+\.com"),
    Method("internet.exampleEmail", "(firstName, lastName)", "A mail address nobody owns.",
           example_email, "internet.exampleEmail", _NAME + r"@example\.(org|com|net)"),
    Method("internet.avatar", "", "An address of a picture.", built(avatar),
           "internet.avatar", _AVATAR_SHAPE),
    Method("internet.color", "(baseRed255, baseGreen255, baseBlue255)",
           "A colour, half way to the base.", color, "internet.color", "#[0-9a-f]{6}"),
    Method("internet.password", "(len, memorable, pattern, prefix) or ({length})",
           "Letters and digits, 15 by default.", password, "internet.password(20)",
           "[0-9A-Za-z]{20}"),
    Method("system.semver", "", "A version.",
           constant(
               Joined(Chars("123456789", 1), ".", NumberRange(0, 10), ".", NumberRange(0, 10))),
           "system.semver", r"\d\.\d\.\d"),
    Method("system.fileName", "(ext)", "A file's name.", file_name, "system.fileName",
           r"[a-z]+\.\w+"),
    Method("system.commonFileName", "(ext)", "A file's name.", file_name,
           "system.commonFileName", r"[a-z]+\.\w+"),
    Method("system.fileExt", "(mimeType)", "A file's extension.", file_extension,
           "system.fileExt", r"\w+"),
    Method("system.commonFileExt", "(type)", "A file's extension, of a kind of file.",
           extension, "system.commonFileExt", r"\w+"),
    Method("system.mimeType", "", "A media type.", drawn(lists.mime_types), "system.mimeType",
           r"[a-z]+/[\w.+-]+"),
    Method("system.commonFileType", "", "A kind of file.", drawn(lists.file_kinds),
           "system.commonFileType", "[a-z]+"),
    Method("system.fileType", "", "A kind of media.", drawn(lists.mime_kinds),
           "system.fileType", "[a-z]+"),
    Method("system.directoryPath", "", "A directory's path.", built(directory),
           "system.directoryPath", "/[a-z]+/[a-z]+"),
    Method("system.filePath", "", "A file's path.", file_path, "system.filePath",
           r"/[a-z]+/[a-z]+/[a-z]+\.\w+"),
    Method("image.image", "(width, height)", "A picture's address.", image(None),
           "image.image", _IMAGE_SHAPE + "/[a-z]+"),
    Method("random.image", "", "A picture's address.", image(None), "random.image",
           _IMAGE_SHAPE + "/[a-z]+"),
    Method("image.imageUrl", "(width, height, category)", "A picture's address.", image(""),
           "image.imageUrl", _IMAGE_SHAPE),
    Method("image.avatar", "", "An address of a picture.", built(avatar), "image.avatar",
           _AVATAR_SHAPE),
    *(Method(f"image.{kind}", "(width, height)", "A picture's address.", image(kind),
             f"image.{kind}", f"{_IMAGE_SHAPE}/{kind}") for kind in IMAGES),
)  # fmt: skip
