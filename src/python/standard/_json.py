"""What Python's own `json` takes from C where there is C: quick for plain values, and Python's way for all others."""

from _fast_json import read, write


def make_encoder(
    markers, default, encoder, indent, key_separator, item_separator, sort_keys, skipkeys, allow_nan
):
    from json import encoder as slow

    def encode(value, level):
        known = encoder is slow.encode_basestring_ascii or encoder is slow.encode_basestring
        if known and indent is None:
            ascii = encoder is slow.encode_basestring_ascii
            text = write(value, ascii, sort_keys, item_separator, key_separator)
            if text is not None:
                return (text,)
        return slow._make_iterencode(
            markers, default, encoder, indent, float_text, key_separator, item_separator, sort_keys, skipkeys, False
        )(value, level)

    def float_text(number):
        text = float.__repr__(number)
        if text not in ("nan", "inf", "-inf"):
            return text
        if not allow_nan:
            raise ValueError(f"Out of range float values are not JSON compliant: {number!r}")
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[text]

    return encode


def make_scanner(context):
    from json.scanner import py_make_scanner

    slow = py_make_scanner(context)
    hooks = context.object_hook, context.object_pairs_hook
    plain = hooks == (None, None) and context.parse_float is float and context.parse_int is int and context.strict

    def scan_once(text, index):
        found = read(text, index) if plain else None
        return slow(text, index) if found is None else found

    return scan_once
