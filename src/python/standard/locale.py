"""The C locale, which is the only one there is."""

LC_CTYPE, LC_NUMERIC, LC_TIME, LC_COLLATE, LC_MONETARY, LC_MESSAGES, LC_ALL = range(7)


class Error(Exception):
    pass


def getlocale(category=LC_CTYPE):
    return ("C", None)


def setlocale(category, locale=None):
    if locale not in (None, "", "C", "POSIX", ("C", None)):
        raise Error("unsupported locale setting")
    return "C"


def localeconv():
    return {"decimal_point": ".", "thousands_sep": "", "grouping": []}
