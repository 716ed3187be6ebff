"""The functions of PyFlink's ``Expression``, and the SQL that each becomes."""

from __future__ import annotations

# Before a window's property in a text, until ``select`` knows what the window is.
WINDOW_MARK = "\0"

# Those of the functions below that give one value for many rows.
AGGREGATES = frozenset({
    "sum", "sum0", "avg", "min", "max", "count", "stddev_pop", "stddev_samp", "var_pop", "var_samp",
    "collect", "array_agg", "first_value", "last_value", "list_agg",
    # PyFlink counts a window's bounds among them, when it names columns.
    "start", "end", "rowtime", "proctime",
})  # fmt: skip

# PyFlink's names of functions without arguments. {0} is the expression.
PROPERTIES: dict[str, str] = {
    # aggregates
    "sum": "SUM({0})", "sum0": "COALESCE(SUM({0}), 0)", "avg": "AVG({0})", "min": "MIN({0})",
    "max": "MAX({0})", "count": "COUNT({0})", "stddev_pop": "STDDEV_POP({0})",
    "stddev_samp": "STDDEV_SAMP({0})", "var_pop": "VAR_POP({0})", "var_samp": "VAR_SAMP({0})",
    "collect": "COLLECT({0})", "array_agg": "ARRAY_AGG({0})", "first_value": "FIRST_VALUE({0})",
    "last_value": "LAST_VALUE({0})", "list_agg": "LISTAGG({0})",
    # conditions
    "is_null": "({0} IS NULL)", "is_not_null": "({0} IS NOT NULL)", "is_true": "({0} IS TRUE)",
    "is_false": "({0} IS FALSE)", "is_not_true": "({0} IS NOT TRUE)",
    "is_not_false": "({0} IS NOT FALSE)",
    # order
    "asc": "{0} ASC", "desc": "{0} DESC",
    # windows
    "start": "\0START({0})", "end": "\0END({0})", "rowtime": "\0ROWTIME({0})",
    "proctime": "\0PROCTIME({0})",
    # text
    "char_length": "CHAR_LENGTH({0})", "upper_case": "UPPER({0})", "lower_case": "LOWER({0})",
    "init_cap": "INITCAP({0})", "ascii": "ASCII({0})", "chr": "CHR({0})",
    "from_base64": "FROM_BASE64({0})", "to_base64": "TO_BASE64({0})", "reverse": "REVERSE({0})",
    "json_quote": "JSON_QUOTE({0})",
    "json_unquote": "JSON_UNQUOTE({0})", "url_encode": "URL_ENCODE({0})",
    "url_decode": "URL_DECODE({0})",
    # times
    "to_date": "TO_DATE({0})", "to_time": "CAST({0} AS TIME)", "to_timestamp": "TO_TIMESTAMP({0})",
    # collections
    "cardinality": "CARDINALITY({0})", "element": "ELEMENT({0})",
    "array_distinct": "ARRAY_DISTINCT({0})", "array_max": "ARRAY_MAX({0})",
    "array_min": "ARRAY_MIN({0})", "array_reverse": "ARRAY_REVERSE({0})",
    "map_entries": "MAP_ENTRIES({0})", "map_keys": "MAP_KEYS({0})",
    "map_values": "MAP_VALUES({0})", "hex": "HEX({0})", "unhex": "UNHEX({0})", "bin": "BIN({0})",
    "inet_aton": "INET_ATON({0})", "inet_ntoa": "INET_NTOA({0})",
    "md5": "MD5({0})", "sha1": "SHA1({0})", "sha224": "SHA224({0})", "sha256": "SHA256({0})",
    "sha384": "SHA384({0})", "sha512": "SHA512({0})",
    # numbers
    **{
        name: f"{name.upper()}({{0}})"
        for name in (
            "abs", "exp", "ln", "log10", "log2", "sqrt", "sin", "cos", "tan", "cot", "asin",
            "acos", "atan", "sinh", "cosh", "tanh", "degrees", "radians", "sign",
        )
    },
}  # fmt: skip

# PyFlink's names of functions with arguments: {1}, {2} are these; (…) takes any number.
METHODS: dict[str, str] = {
    "between": "({0} BETWEEN {1} AND {2})", "not_between": "({0} NOT BETWEEN {1} AND {2})",
    "then": "(CASE WHEN {0} THEN {1} ELSE {2} END)", "if_null": "COALESCE({0}, {1})",
    "is_distinct_from": "({0} IS DISTINCT FROM {1})", "like": "({0} LIKE {1})",
    "similar": "({0} SIMILAR TO {1})", "at": "{0}[{1}]", "sha2": "SHA2({0}, {1})",
    "encode": "ENCODE({0}, {1})", "decode": "DECODE({0}, {1})",
    **{
        method: f"{function}(…)"
        for method, function in {
            "power": "POWER", "mod": "MOD", "round": "ROUND", "truncate": "TRUNCATE",
            "atan2": "ATAN2", "substring": "SUBSTRING", "substr": "SUBSTR", "replace": "REPLACE",
            "lpad": "LPAD", "rpad": "RPAD", "ltrim": "LTRIM", "rtrim": "RTRIM", "btrim": "BTRIM",
            "left": "LEFT", "right": "RIGHT", "instr": "INSTR", "locate": "LOCATE",
            "repeat": "REPEAT", "regexp": "REGEXP", "regexp_replace": "REGEXP_REPLACE",
            "regexp_extract": "REGEXP_EXTRACT", "regexp_count": "REGEXP_COUNT",
            "regexp_extract_all": "REGEXP_EXTRACT_ALL", "regexp_instr": "REGEXP_INSTR",
            "regexp_substr": "REGEXP_SUBSTR", "parse_url": "PARSE_URL",
            "split_index": "SPLIT_INDEX", "str_to_map": "STR_TO_MAP", "split": "SPLIT",
            "starts_with": "STARTSWITH", "ends_with": "ENDSWITH", "translate": "TRANSLATE",
            "elt": "ELT", "printf": "PRINTF", "array_append": "ARRAY_APPEND",
            "array_contains": "ARRAY_CONTAINS", "array_concat": "ARRAY_CONCAT",
            "array_join": "ARRAY_JOIN", "array_position": "ARRAY_POSITION",
            "array_prepend": "ARRAY_PREPEND", "array_remove": "ARRAY_REMOVE",
            "array_slice": "ARRAY_SLICE", "array_sort": "ARRAY_SORT",
            "array_union": "ARRAY_UNION", "array_except": "ARRAY_EXCEPT",
            "array_intersect": "ARRAY_INTERSECT", "map_union": "MAP_UNION",
            "percentile": "PERCENTILE", "concat": "CONCAT", "object_update": "OBJECT_UPDATE",
        }.items()
    },
}  # fmt: skip
