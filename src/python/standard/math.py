"""Mathematics: floats in `_math`, whole numbers here."""

from _math import (
    acos, acosh, asin, asinh, atan, atan2, atanh, cbrt, copysign, cos, cosh, erf, erfc, exp, exp2, expm1, fabs, fma, fmod,
    frexp, gamma, isfinite, isinf, isnan, ldexp, lgamma, ln as _ln, log1p, log2 as _log2, log10 as _log10, modf, nextafter,
    pow, remainder, sin, sinh, sqrt, tan, tanh,
)
from _operator import index as _index

pi = 3.141592653589793
e = 2.718281828459045
tau = 6.283185307179586
inf = float("inf")
nan = float("nan")


def floor(x, /):
    return x.__floor__() if hasattr(type(x), "__floor__") else float(x).__floor__()


def ceil(x, /):
    return x.__ceil__() if hasattr(type(x), "__ceil__") else float(x).__ceil__()


def trunc(x, /):
    return x.__trunc__()


def _of_whole(x, function, scale):
    """The logarithm of a whole number too large for a float."""
    bits = x.bit_length() - 60
    return function(x >> bits) + bits * scale


def log(x, base=None, /):
    large = isinstance(x, int) and x.bit_length() > 1000
    value = _of_whole(x, _ln, 0.6931471805599453) if large and x > 0 else _ln(x)
    return value if base is None else value / log(base)


def log2(x, /):
    return _of_whole(x, _log2, 1.0) if isinstance(x, int) and x.bit_length() > 1000 and x > 0 else _log2(x)


def log10(x, /):
    if isinstance(x, int) and x.bit_length() > 1000 and x > 0:
        return _of_whole(x, _log10, 0.30102999566398120)
    return _log10(x)


def degrees(x, /):
    return x * (180.0 / pi)


def radians(x, /):
    return x * (pi / 180.0)


def isclose(a, b, *, rel_tol=1e-09, abs_tol=0.0):
    if rel_tol < 0.0 or abs_tol < 0.0:
        raise ValueError("tolerances must be non-negative")
    if a == b:
        return True
    if isinf(a) or isinf(b):
        return False
    difference = abs(b - a)
    return difference <= rel_tol * abs(b) or difference <= rel_tol * abs(a) or difference <= abs_tol


def gcd(*integers):
    result = 0
    for number in integers:
        number = abs(_index(number))
        while number:
            result, number = number, result % number
    return result


def lcm(*integers):
    result = 1
    for number in integers:
        number = abs(_index(number))
        if number == 0:
            return 0
        result = result // gcd(result, number) * number
    return result


def factorial(n, /):
    n = _index(n)
    if n < 0:
        raise ValueError("factorial() not defined for negative values")
    result = 1
    for factor in range(2, n + 1):
        result *= factor
    return result


def perm(n, k=None, /):
    n = _index(n)
    k = n if k is None else _index(k)
    if n < 0 or k < 0:
        raise ValueError("n and k must be non-negative integers")
    result = 1
    for factor in range(n - k + 1, n + 1) if k <= n else (0,):
        result *= factor
    return result


def comb(n, k, /):
    n, k = _index(n), _index(k)
    if n < 0 or k < 0:
        raise ValueError("n and k must be non-negative integers")
    if k > n:
        return 0
    result = 1
    for step in range(1, min(k, n - k) + 1):
        result = result * (n - step + 1) // step
    return result


def isqrt(n, /):
    n = _index(n)
    if n < 0:
        raise ValueError("isqrt() argument must be nonnegative")
    if n == 0:
        return 0
    guess = 1 << ((n.bit_length() + 1) // 2)
    while True:
        better = (guess + n // guess) // 2
        if better >= guess:
            return guess
        guess = better


def prod(iterable, /, *, start=1):
    for factor in iterable:
        start = start * factor
    return start


def sumprod(p, q, /):
    products = [a * b for a, b in zip(p, q, strict=True)]
    return fsum(products) if any(isinstance(product, float) for product in products) else sum(products)


def fsum(seq, /):
    """Exact: keeps what each addition loses as a float of its own."""
    partials = []
    for x in seq:
        x = float(x)
        if not isfinite(x):
            return x + sum(partials)
        kept = []
        for y in partials:
            if abs(x) < abs(y):
                x, y = y, x
            high = x + y
            low = y - (high - x)
            if low:
                kept.append(low)
            x = high
        partials = kept + [x]
    return sum(partials, 0.0)


def hypot(*coordinates):
    largest = max((abs(float(x)) for x in coordinates), default=0.0)
    if largest == 0.0 or isinf(largest):
        return largest
    return largest * sqrt(fsum((x / largest) ** 2 for x in coordinates))


def dist(p, q, /):
    return hypot(*(a - b for a, b in zip(p, q, strict=True)))


def ulp(x, /):
    x = abs(float(x))
    if not isfinite(x):
        return x
    above = nextafter(x, inf)
    return above - x if isfinite(above) else x - nextafter(x, 0.0)
