# Each function is one snippet: its answer must be the same here and under CPython 3.
# After a change: python3 tests/python/library.py > tests/python/library.json
import base64
import binascii
import bisect
import collections
import contextlib
import copy
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import hashlib
import heapq
import hmac
import io
import itertools
import json
import math
import operator
import random
import re
import secrets
import statistics
import string
import textwrap
import time
import typing
import uuid
import zoneinfo
from typing import Generic, NamedTuple, Optional, Protocol, TypedDict, TypeVar


def enums():
    class Status(enum.Enum):
        NEW = "new"
        PAID = "paid"

    class Level(enum.IntEnum):
        LOW = 1
        HIGH = enum.auto()

    class Rights(enum.Flag):
        READ = 1
        WRITE = 2

    class Color(enum.StrEnum):
        RED = enum.auto()

    return [
        Status("paid").name, Status.NEW.value, str(Status.NEW), repr(Status.PAID), [s.value for s in Status],
        int(Level.HIGH), Level.LOW < Level.HIGH, str(Rights.READ | Rights.WRITE), Rights.READ in (Rights.READ | Rights.WRITE),
        Color.RED == "red", f"{Color.RED}", Status.NEW is Status["NEW"],
    ]


def data_classes():
    @dataclasses.dataclass(frozen=True, order=True)
    class Money:
        cents: int
        currency: str = "EUR"

    @dataclasses.dataclass
    class Cart:
        owner: str
        items: list = dataclasses.field(default_factory=list)
        total: Money = Money(0)

        def __post_init__(self):
            self.owner = self.owner.upper()

    @dataclasses.dataclass(slots=True, kw_only=True)
    class Point:
        x: int
        y: int = 2

    cart = Cart("ada")
    cart.items.append("book")
    frozen = "no"
    try:
        Money(1).cents = 5
    except dataclasses.FrozenInstanceError as error:
        frozen = str(error)
    return [
        repr(cart.total), repr(dataclasses.replace(Money(5), currency="USD")), dataclasses.asdict(cart), Money(1) < Money(2),
        frozen, repr(Point(x=1)), [f.name for f in dataclasses.fields(Cart)], hash(Money(1)) == hash(Money(1)),
    ]


def contexts():
    log = []

    @contextlib.contextmanager
    def block(name):
        log.append(f"+{name}")
        try:
            yield name
        finally:
            log.append(f"-{name}")

    with contextlib.ExitStack() as stack:
        stack.enter_context(block("a"))
        stack.enter_context(block("b"))
    with contextlib.suppress(KeyError):
        {}["x"]
    with contextlib.nullcontext(5) as five:
        log.append(five)
    return log


def functions():
    calls = []

    @functools.lru_cache(maxsize=2)
    def square(x):
        calls.append(x)
        return x * x

    @functools.wraps(square)
    def wrapped(x):
        return square(x)

    class Lazy:
        @functools.cached_property
        def value(self):
            calls.append("value")
            return 7

    @functools.singledispatch
    def kind(x):
        return "other"

    @kind.register
    def _(x: int):
        return "int"

    lazy = Lazy()
    return [
        square(3), square(3), calls[:], functools.reduce(operator.add, [1, 2, 3]), functools.partial(pow, 2)(5),
        lazy.value + lazy.value, wrapped.__name__, kind(1), kind("x"), square.cache_info().hits,
        sorted([3, 1, 2], key=functools.cmp_to_key(lambda a, b: b - a)),
    ]


def types():
    T = TypeVar("T")

    class Box(Generic[T]):
        def __init__(self, value: T):
            self.value = value

    class Row(NamedTuple):
        id: int
        name: str = "x"

    class Order(TypedDict, total=False):
        id: int

    class Sends(Protocol):
        def send(self, text: str) -> None: ...

    def f(a: Optional[int], b: list[str] = []) -> dict[str, int]:
        return {}

    return [
        Box[int](3).value, repr(Row(1)), Row(1)._asdict(), Order(id=3), str(typing.Optional[int] == typing.Union[int, None]),
        typing.get_type_hints(f)["return"] == dict[str, int], typing.cast(int, "a"), typing.get_origin(dict[str, int]) is dict,
        typing.Literal["a", "b"].__args__, typing.TYPE_CHECKING,
    ]


def collections_():
    counter = collections.Counter("abracadabra")
    table = collections.defaultdict(list)
    table["a"].append(1)
    queue = collections.deque([1, 2, 3], maxlen=3)
    queue.append(4)
    Point = collections.namedtuple("Point", "x y", defaults=[5])
    ordered = collections.OrderedDict(a=1, b=2)
    ordered.move_to_end("a")
    chained = collections.ChainMap({"a": 1}, {"a": 2, "b": 3})
    return [counter.most_common(2), dict(table), list(queue), repr(Point(1)), Point(1)._replace(y=9).y, list(ordered), chained["a"], chained["b"]]


def decimals():
    D = decimal.Decimal
    with decimal.localcontext() as context:
        context.prec = 5
        third = str(D(1) / D(3))
    return [
        str(D("0.1") + D("0.2")), str(D("2.675").quantize(D("0.01"), rounding=decimal.ROUND_HALF_UP)), str(D(1) / D(3)), third,
        D("1.10") == D("1.1"), str(D("1e3")), int(D("12.9")), str(round(D("2.5"))), f"{D('1234.5'):,.2f}", str(sum([D("1.5"), D("2.5")])),
        str(D("-3.7") % D("2")), D("NaN").is_nan(), str(D(5).sqrt()),
    ]


def dates():
    moment = datetime.datetime(2024, 2, 28, 23, 30, tzinfo=datetime.timezone.utc)
    later = moment + datetime.timedelta(hours=1)
    cet = datetime.timezone(datetime.timedelta(hours=1))
    return [
        later.isoformat(), str(later - moment), later.date().isoformat(), moment.astimezone(cet).strftime("%Y-%m-%d %H:%M:%S%z"),
        datetime.datetime.strptime("2024-05-06 07:08", "%Y-%m-%d %H:%M").isoformat(), datetime.date(2024, 12, 31).isocalendar().week,
        datetime.datetime.fromisoformat("2024-01-02T03:04:05.678+02:00").timestamp(), datetime.date.fromordinal(738000).isoformat(),
        datetime.timedelta(days=1, seconds=5).total_seconds(), moment.replace(hour=1).weekday(), str(datetime.time(1, 2, 3)),
        datetime.datetime.fromtimestamp(86400, datetime.timezone.utc).isoformat(), later > moment,
        moment.strftime("%A %d %B %Y"),
    ]


def regexes():
    return [
        re.findall(r"\d+", "a1b22"), re.sub(r"(\w)-(\w)", r"\2-\1", "a-b c-d"), re.match(r"(?P<year>\d{4})", "2024-01").group("year"),
        re.split(r"[,;]\s*", "a, b;c"), bool(re.fullmatch(r"[a-z]+@[a-z]+\.com", "x@y.com")), [m.span() for m in re.finditer("a", "banana")],
        re.compile("HELLO", re.I).search("say hello").start(), re.escape("a.b"), re.sub("a", lambda m: m.group().upper(), "banana"),
    ]


def json_texts():
    def outcome(work):
        try:
            return repr(work())
        except (ValueError, TypeError, RecursionError) as raised:
            # Their words differ from one CPython to the next.
            return type(raised).__name__

    class Text(str):
        pass

    class Number(int):
        def __repr__(self):
            return "a number"

    circular = []
    circular.append({"again": circular})
    values = [
        None, True, 0, -1, 2**70, 0.1, 1e16, 1e22, -0.0, 5e-324, float("inf"), float("nan"), "", "\x00\x1f\x7f\x80 \u2028 \U0001f600\"/\\",
        "\ud800", {"a\n": 1}, {1.5: 1, True: 2, None: 3, 7: 4}, {"b": 1, "a": {"d": 1, "c": 2}}, {"z": 1, "é": 2, "\uffff": 3, "\U00010000": 4},
        [], {}, (), [[], {}, ()], (1, [2, (3,)]), Text("as text"), Number(3), {Text("k"): Number(4)}, [{1, 2}], {(1, 2): 3}, b"bytes", 1j,
    ]
    deep = "[" * 60 + "1" + "]" * 60
    texts = [
        "", " ", "nul", "null", " true ", "-0", "-0.0", "01", "1.", ".5", "1e5", "1E+5", "1e", "- 1", "NaN", "-Infinity", "1 2", "99999999999999999999",
        '"', '"a', '"\\', '"\\x"', '"\\u12"', '"\\u12g4"', '"\\u+123"', '"\\u00e9\\n\\/\\b"', '"\\ud83d\\ude00"', '"\\ud83d"', '"\t"', '"é" ', '"é" x', '{"é": "ü", "ß": [1]}',
        "[", "[1", "[1,", "[1,]", "[1 2]", "[,1]", "[ ]", "{", "{}", '{"a"', '{"a":', '{"a": 1', '{"a": 1,', '{"a": 1,}', '{"a" 1}', "{a: 1}", "{1: 2}", '{"a": 1, "b": 2, "a": 3}',
        "[1]]", "\ufeff1", "\u00a01", deep,
    ]
    return [
        [outcome(lambda: json.dumps(value)) for value in values],
        [outcome(lambda: json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))) for value in values],
        [outcome(lambda: json.dumps(value, allow_nan=False, skipkeys=True, default=str)) for value in values if not isinstance(value, complex)],
        outcome(lambda: json.dumps(circular)),
        [outcome(lambda: json.loads(text)) for text in texts],
        [outcome(lambda: json.loads(text, parse_int=str, parse_float=decimal.Decimal)) for text in texts],
        outcome(lambda: json.loads('{"a": [{"b": 1}]}', object_hook=lambda pairs: sorted(pairs))),
        outcome(lambda: json.loads('{"a": [{"b": 1}]}', object_pairs_hook=tuple)),
        outcome(lambda: json.JSONDecoder().raw_decode('é {"a": 1} rest', 2)),
    ]


def jsons():
    text = json.dumps({"b": [1, 2.5, None, True], "a": "é\n\"", "n": {"x": 1e100}}, sort_keys=True)

    class Encoder(json.JSONEncoder):
        def default(self, value):
            return str(value)

    try:
        json.loads('{"a": }')
        error = None
    except json.JSONDecodeError as raised:
        error = str(raised)
    return [
        text, json.loads(text), json.dumps([1, 2], indent=2), json.dumps({"a": 1}, separators=(",", ":")), error,
        json.dumps({"d": decimal.Decimal("1.5")}, cls=Encoder), json.dumps("ü", ensure_ascii=False), json.loads("[1e3, -0.5, 12345678901234567890]"),
        json.dumps({1: 2, None: 3, True: 4}), json.loads('"\\u00fc\\ud83d\\ude00"'), json.dumps({"x": {1, 2}}, default=sorted),
    ]


def hashes():
    signature = hmac.new(b"key", b"message", hashlib.sha256).hexdigest()
    return [
        hashlib.sha256(b"abc").hexdigest(), hashlib.md5(b"abc").hexdigest(), hashlib.sha1(b"abc").hexdigest(), hashlib.sha512(b"").hexdigest()[:16],
        signature, hmac.compare_digest(signature, signature), hashlib.new("sha256", b"x").digest_size, base64.b64encode(b"hello?>").decode(),
        base64.urlsafe_b64encode(b"\xfb\xff").decode(), base64.b64decode("aGVsbG8=").decode(), binascii.hexlify(b"\x00\xff").decode(),
        binascii.crc32(b"hello"), hmac.new(b"k", b"m", "sha1").hexdigest(), base64.urlsafe_b64decode(b"-_8=").hex(),
    ]


def maths():
    return [
        math.sqrt(2), math.floor(-2.5), math.ceil(2.1), math.gcd(12, 18), math.lcm(4, 6), math.factorial(20), math.comb(10, 3), math.perm(5, 2),
        math.isqrt(99), math.log(8, 2), math.log10(1000), math.log2(8), math.hypot(3, 4), math.isclose(0.1 + 0.2, 0.3), math.prod([1, 2, 3]), math.fsum([0.1] * 10),
        math.trunc(-2.7), math.copysign(1, -0.0), math.inf > 1, math.sin(1), math.pi, math.degrees(math.pi), math.modf(2.5), math.frexp(8.0),
        math.floor(1e20), math.dist([0, 0], [3, 4]), math.fmod(7, 3), math.pow(2, 0.5), math.isnan(math.nan), math.log1p(1e-10), math.remainder(7, 4),
    ]


def randoms():
    rng = random.Random(42)
    values = [rng.random(), rng.randint(1, 100), rng.choice("abc"), rng.uniform(1, 2), rng.sample(range(10), 3), rng.gauss(0, 1), rng.getrandbits(70)]
    items = [1, 2, 3, 4, 5]
    rng.shuffle(items)
    random.seed(7)
    values.append(items)
    values.append(random.random())
    values.append(random.choices([1, 2, 3], weights=[1, 1, 8], k=5))
    values.append(random.expovariate(2))
    values.append(random.randrange(0, 100, 5))
    values.append(random.Random("text").random())
    return values


def secrets_():
    return [len(secrets.token_hex(8)), len(secrets.token_bytes(5)), 0 <= secrets.randbelow(10) < 10, len(secrets.token_urlsafe(9)), secrets.compare_digest("a", "a")]


def uuids():
    number = uuid.UUID("12345678-1234-5678-1234-567812345678")
    return [str(number), number.int, number.hex, str(uuid.uuid5(uuid.NAMESPACE_DNS, "example.org")), uuid.uuid4().version, str(uuid.uuid3(uuid.NAMESPACE_URL, "x")), repr(number)]


def structures():
    heap = []
    for number in [5, 1, 3]:
        heapq.heappush(heap, number)
    places = [1, 3, 5]
    bisect.insort(places, 4)
    return [
        heapq.heappop(heap), heapq.nlargest(2, [1, 5, 2]), places, bisect.bisect_left(places, 3), list(itertools.islice(itertools.count(1), 3)),
        list(itertools.chain([1], [2])), [list(group) for _, group in itertools.groupby([1, 1, 2])], list(itertools.product("ab", repeat=2))[:3],
        list(itertools.combinations([1, 2, 3], 2)), list(itertools.accumulate([1, 2, 3])), list(itertools.pairwise([1, 2, 3])),
        copy.deepcopy({"a": [1]}), operator.itemgetter(1)([1, 2]), operator.attrgetter("real")(5), list(itertools.zip_longest([1], [2, 3])),
    ]


def texts():
    return [
        string.ascii_lowercase, string.Template("$a b").substitute(a=1), textwrap.dedent("  a\n  b"), textwrap.shorten("hello big world", 11),
        "{:>5}|{:<5}|{:^5}|{:05d}|{:,}|{:.3f}|{:e}|{:%}|{:x}".format(1, 2, 3, 4, 5000, 1.23456, 12345.678, 0.5, 255), f"{'x'!r:>5}", "%s %d %.2f %r" % ("a", 1, 2.5, "b"),
        "a,b".partition(","), "äö".encode().hex(), "ß".upper(), "Ab".swapcase(), " x ".strip(), "a b".title(), "abc"[::-1], "x".zfill(3),
        io.StringIO("a\nb").readline(),
    ]


def numbers():
    return [
        statistics.mean([1, 2, 4]), statistics.median([3, 1, 2]), round(statistics.stdev([1, 2, 3, 4]), 6), str(fractions.Fraction(1, 3) + fractions.Fraction(1, 6)),
        statistics.quantiles([1, 2, 3, 4, 5], n=4), 2**100, -7 // 2, -7 % 3, divmod(7, -2), round(2.5), round(2.675, 2), 0.1 + 0.2, 1e16, 1e22, 1 / 3, int("ff", 16), bin(10), (255).to_bytes(2, "big").hex(),
        float("1e-7"), 123456789.123456789, 5e-324, 1e308 * 10, str(1e15), int(1e18),
    ]


def language():
    class Base:
        def __init_subclass__(cls, tag=None, **kwargs):
            cls.tag = tag

    class Child(Base, tag="x"):
        __slots__ = ("a",)

        @property
        def doubled(self):
            return self.a * 2

        @staticmethod
        def make():
            return Child()

    def match_it(value):
        match value:
            case {"type": "order", "items": [first, *rest]}:
                return ("order", first, len(rest))
            case [int(x), str(y)] if x > 1:
                return (x, y)
            case Child(a=5):
                return "child"
            case _:
                return "other"

    child = Child.make()
    child.a = 5
    chained = []
    try:
        try:
            raise ValueError("inner")
        except ValueError as inner:
            raise KeyError("outer") from inner
    except KeyError as outer:
        chained = [repr(outer), repr(outer.__cause__)]
    groups = []
    try:
        raise ExceptionGroup("g", [ValueError(1), TypeError(2)])
    except* ValueError as matched:
        groups.append(len(matched.exceptions))
    except* TypeError as matched:
        groups.append(repr(matched.exceptions[0]))

    def generator():
        received = yield 1
        yield received
        return 3

    g = generator()
    return [
        Child.tag, child.doubled, match_it({"type": "order", "items": [1, 2, 3]}), match_it([2, "b"]), match_it(child), match_it(0), chained, groups,
        next(g), g.send("sent"), (n := 10) + n, [*range(3), *"ab"], {**{"a": 1}, "b": 2}, {x: y for x, y in zip("ab", [1, 2])}, sorted({3, 1, 2}),
        list(map(lambda a, b: a * b, [1, 2], [3, 4])), any(x > 2 for x in [1, 2, 3]), "yes" if [] else "no", [i for i in range(10) if i % 3 == 0],
        type("Dynamic", (), {"z": 1})().z, isinstance(True, int), (lambda *a, k=1, **kw: (a, k, kw))(1, 2, k=3, z=4), 1 < 2 < 3, ~5, 7 ^ 2,
    ]


def clocks():
    before = time.monotonic()
    return [time.time() > 1e9, time.monotonic() >= before, time.strftime("%Y", time.gmtime(0)), datetime.datetime.now().year > 2000, time.gmtime(86400).tm_mday]


def zones():
    told = []
    for key, moment in [
        ("Europe/Berlin", datetime.datetime(2025, 3, 30, 0, 30)), ("Europe/Berlin", datetime.datetime(2025, 10, 26, 1, 30)),
        ("America/New_York", datetime.datetime(2026, 3, 8, 7, 30)), ("Asia/Kolkata", datetime.datetime(2026, 1, 1)),
        ("Australia/Sydney", datetime.datetime(2026, 4, 4, 16, 30)), ("Europe/London", datetime.datetime(2026, 7, 1)),
    ]:
        zone = zoneinfo.ZoneInfo(key)
        local = moment.replace(tzinfo=datetime.timezone.utc).astimezone(zone)
        told.append([local.isoformat(), local.fold, local.tzname(), str(local.utcoffset())])
    berlin = zoneinfo.ZoneInfo("Europe/Berlin")
    twice = datetime.datetime(2025, 10, 26, 2, 30, tzinfo=berlin)
    told.append([twice.timestamp(), twice.replace(fold=1).timestamp(), repr(berlin), str(berlin), berlin is zoneinfo.ZoneInfo("Europe/Berlin")])
    skipped = datetime.datetime(2025, 3, 30, 2, 30, tzinfo=berlin)
    told.append([str(skipped.utcoffset()), str(skipped.replace(fold=1).utcoffset()), (skipped + datetime.timedelta(days=1)).isoformat()])
    try:
        zoneinfo.ZoneInfo("Mars/Olympus")
    except zoneinfo.ZoneInfoNotFoundError as error:
        told.append("Mars/Olympus" in str(error))
    return told


SNIPPETS = [
    enums, data_classes, contexts, functions, types, collections_, decimals, dates, regexes, json_texts, jsons, hashes, maths, randoms, secrets_, uuids, structures,
    texts, numbers, language, clocks, zones,
]


def answers():
    found = {}
    for snippet in SNIPPETS:
        try:
            found[snippet.__name__] = repr(snippet())
        except Exception as error:
            found[snippet.__name__] = f"{type(error).__name__}: {error}"
    return found


async def handle():
    return answers()


if __name__ == "__main__":
    print(json.dumps(answers(), indent=1, sort_keys=True))
