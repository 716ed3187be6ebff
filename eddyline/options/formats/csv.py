"""The csv format."""

from __future__ import annotations

from eddyline.options.connector import Format
from eddyline.options.formats.json import IGNORE_PARSE_ERRORS
from eddyline.options.option import BOOLEAN, CHARACTER, STRING, Option

FIELD_DELIMITER = Option("field-delimiter", CHARACTER, ",", "Between fields.")
QUOTE_CHARACTER = Option("quote-character", CHARACTER, '"', "Around fields.")
DISABLE_QUOTES = Option(
    "disable-quote-character", BOOLEAN, "false", "No character encloses fields."
)
ESCAPE_CHARACTER = Option(
    "escape-character", CHARACTER, None, "Before a character that is taken as it is."
)
NULL_LITERAL = Option("null-literal", STRING, None, "The text that means NULL.")
ALLOW_COMMENTS = Option("allow-comments", BOOLEAN, "false", "Lines that begin with # are skipped.")
ARRAY_DELIMITER = Option(
    "array-element-delimiter", STRING, ";", "Between the elements of an ARRAY or ROW."
)
SCIENTIFIC_DECIMALS = Option(
    "write-bigdecimal-in-scientific-notation",
    BOOLEAN,
    "true",
    "Decimals are written as 1E-7 instead of 0.0000001 where Java would.",
)
EMPTY_STRING_AS_NULL = Option(
    "empty-string-as-null", BOOLEAN, "false", "An empty field of a text column is NULL."
)
ALLOW_TRAILING_COMMA = Option(
    "allow-trailing-comma", BOOLEAN, "true", "A delimiter after the last field is ignored."
)
FAIL_ON_MISSING_COLUMNS = Option(
    "fail-on-missing-columns", BOOLEAN, "false", "A line with too few fields is an error."
)
IGNORE_TRAILING = Option(
    "ignore-trailing-unmappable", BOOLEAN, "false", "Fields after the last column are ignored."
)
TRIM_SPACES = Option("trim-spaces", BOOLEAN, "false", "Spaces around fields are removed.")

CSV = Format(
    "csv",
    "One line per record, fields by position.",
    (
        FIELD_DELIMITER, QUOTE_CHARACTER, DISABLE_QUOTES, ESCAPE_CHARACTER, NULL_LITERAL,
        ALLOW_COMMENTS, IGNORE_PARSE_ERRORS, ARRAY_DELIMITER, SCIENTIFIC_DECIMALS,
        EMPTY_STRING_AS_NULL, ALLOW_TRAILING_COMMA, FAIL_ON_MISSING_COLUMNS, IGNORE_TRAILING,
        TRIM_SPACES,
    ),
)  # fmt: skip
