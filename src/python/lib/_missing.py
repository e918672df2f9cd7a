"""What to use in place of a module that is not here. It is loaded when an import fails, not before."""

_HTTP = "Use httpx, where the scenario has a service for it: a handler's parameter `http` is an httpx.AsyncClient"
_PSYCOPG = "Use psycopg (version 3): a handler's parameter `conn` is a psycopg.AsyncConnection, `pool` a pool of them"
_SQL = "There is no ORM. Write SQL with psycopg: a handler's parameter `conn` is a psycopg.AsyncConnection"
_POSTGRES = "The database here is PostgreSQL. Use psycopg: a handler's parameter `conn` is a psycopg.AsyncConnection"
_FRAMEWORK = (
    "There is no web framework. A handler is a function such as `async def buy(conn, request)` that returns a dict with "
    "a `status`; `request` is a dict"
)
_DJANGO = "There is no Django. " + _FRAMEWORK.partition(". ")[2] + ". Write SQL with psycopg"
_CACHE = "Use cache, where the scenario has that service: a handler's parameter `cache` has redis-py's methods"
_QUEUE = (
    "Use message_queue, where the scenario has a queue: a handler's parameter `queue` sends, receives and deletes messages, as "
    "SQS does"
)
_EVENTS = "Use events, where the scenario has that service: a handler's parameter `events` is a log that is appended to"
_PAYMENTS = "Use payments, where the scenario has that service: a handler's parameter `payments` charges cards"
_VAULT = "Use vault, where the scenario has that service: a handler's parameter `vault` keeps versions of secrets"
_ASYNC = "Handlers are asynchronous. Use asyncio: create_task, gather, Lock, Queue, sleep"
_DATACLASSES = "Use dataclasses"
_TIME = "Use datetime and zoneinfo"
_LOGGING = "Use logging"
_JSON = "Use json"
_HASHES = "Use hashlib, hmac and secrets"
_RETRY = "Use a loop with asyncio.sleep"
_FILES = "There are no files here. A handler keeps what it has to keep in the database"

_NEAREST = {
    _HTTP: "requests aiohttp urllib urllib3 http pycurl httplib2",
    _PSYCOPG: "asyncpg psycopg2 pg8000 aiopg databases postgres",
    _SQL: "sqlalchemy sqlmodel flask_sqlalchemy peewee tortoise ormar pony gino piccolo alembic",
    _POSTGRES: "sqlite3 aiosqlite pymysql MySQLdb mysql aiomysql pymongo motor cassandra oracledb pyodbc",
    _FRAMEWORK: "fastapi flask starlette sanic tornado bottle quart litestar falcon uvicorn gunicorn",
    _DJANGO: "django rest_framework",
    _CACHE: "redis aioredis valkey memcache pymemcache aiomcache aiocache diskcache",
    _QUEUE: "boto3 botocore aioboto3 aiobotocore celery kombu pika aio_pika rq dramatiq huey arq",
    _EVENTS: "kafka aiokafka confluent_kafka faust",
    _PAYMENTS: "stripe braintree adyen paypalrestsdk square",
    _VAULT: "hvac",
    _ASYNC: "threading multiprocessing concurrent queue _thread gevent eventlet anyio trio sched",
    _DATACLASSES: "pydantic pydantic_settings attr attrs marshmallow msgspec",
    _TIME: "pytz dateutil pendulum arrow tzdata calendar",
    _LOGGING: "structlog loguru sentry_sdk logbook",
    _JSON: "orjson ujson simplejson rapidjson pickle yaml",
    _HASHES: "bcrypt argon2 passlib nacl",
    "Use jwt: encode and decode as PyJWT has them": "jose authlib",
    "Use uuid": "ulid uuid6 nanoid shortuuid",
    "Use functools: lru_cache and cache": "cachetools async_lru",
    "Use math and statistics": "numpy pandas scipy",
    _RETRY: "tenacity backoff retrying stamina",
    _FILES: "pathlib shutil tempfile glob csv",
}


# Of modules that are here only in part: what to use in place of a name they do not have.
_PARTS = {
    "psycopg.sql": "Write the statement's text, with %s for each value",
    "psycopg_pool.ConnectionPool": "Handlers are asynchronous: take the parameter `pool`, an AsyncConnectionPool",
}
# More names than these are no help.
_NAMES_MOST = 40


def module(name, public):
    """The message of an import that failed. `public` are the modules there are."""
    head = name.partition(".")[0]
    for remedy, names in _NEAREST.items():
        if head in names.split():
            return f"No module named {name!r} here. {remedy}"
    meant = min(public, key=lambda known: _distance(known, head))
    if _distance(meant, head) <= len(head) // 4:
        return f"No module named {name!r} here. Did you mean {meant}?"
    return f"No module named {name!r} here, and nothing in its place. There are: {', '.join(public)}"


def part(name):
    """The message for a module inside a package that is here."""
    package = name.rpartition(".")[0]
    return f"No module named {name!r} here. {_PARTS.get(name, f'It is left out of {package}')}"


def attribute(found, name):
    """The message for a name that a module does not have."""
    message = f"cannot import name {name!r} from {found.__name__!r} here."
    instead = _PARTS.get(f"{found.__name__}.{name}")
    if instead is not None:
        return f"{message} {instead}"
    names = sorted(known for known in vars(found) if not known.startswith("_"))
    meant = min(names, key=lambda known: _distance(known, name), default=None)
    if meant is not None and _distance(meant, name) <= len(name) // 4:
        return f"{message} Did you mean {meant}?"
    return f"{message} It has: {', '.join(names)}" if len(names) <= _NAMES_MOST else message


def _distance(one, other):
    """How many letters have to be changed, added or left out."""
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        above, row = row, [at]
        for place, wanted in enumerate(other, 1):
            row.append(min(above[place] + 1, row[-1] + 1, above[place - 1] + (letter != wanted)))
    return row[-1]
