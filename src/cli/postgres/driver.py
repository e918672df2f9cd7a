"""Hosts Python for a run on a real PostgreSQL: a process of the service, the clients' scripts, or the auditor.

`twoam` starts it and speaks with it in JSON, one object a line. It decides nothing: who sends what and when, what services answer
and what is counted is told to it or counted by its parent. When its stdin ends, its parent is gone, and it cleans up and goes too.
"""

import asyncio
import contextlib
import contextvars
import functools
import gc
import importlib
import inspect
import json
import logging
import os
import selectors
import shutil
import signal
import sys
import time
import traceback
import types

import psycopg
from psycopg_pool import AsyncConnectionPool

IDLE = psycopg.pq.TransactionStatus.IDLE

out = os.dup(1)
sys.stdout = sys.stderr
encode = json.JSONEncoder(default=str).encode
request_of_task = contextvars.ContextVar("request")
TRIALS = 20
CODE = (type, types.BuiltinFunctionType, types.FunctionType, types.ModuleType)
calls = {}
tasks = set()
# Lines that are written at the end of the event loop's turn: one write for all that was told in it.
untold = []


def tell(**message):
    if not untold:
        asyncio.get_running_loop().call_soon(write)
    untold.append(encode(message) + "\n")


def write():
    lines = "".join(untold).encode()
    untold.clear()
    while lines:
        lines = lines[os.write(out, lines):]


def line_in_handler():
    """Where in the handler's own file this await stands."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename == settings["path"]:
            return frame.f_lineno
        frame = frame.f_back
    return 0


def next_call():
    next_call.number += 1
    return next_call.number


next_call.number = 0


class Connection(psycopg.AsyncConnection):
    """Each round trip takes as long as the scenario's network does."""

    async def wait(self, gen, *args, **options):
        if trips := self.round_trips(gen.__name__):
            await asyncio.sleep(trips * settings["network_s"] - settings["late_s"])
        return await super().wait(gen, *args, **options)

    def round_trips(self, work):
        if settings["network_s"] <= 0:
            return 0
        if self.pgconn.transaction_status != IDLE:
            return 1
        if work == "_execute_gen":
            # psycopg sends a BEGIN of its own first.
            return 1 if self.autocommit else 2
        return 0 if work in ("_commit_gen", "_rollback_gen") else 1


class Cursor(psycopg.AsyncCursor):
    async def execute(self, query, params=None, **options):
        request = request_of_task.get(None)
        if request is None:
            return await super().execute(query, params, **options)
        call, sqlstate, message = next_call(), None, ""
        tell(did="statement", request=request, call=call, line=line_in_handler(), text=str(query), params=repr(params))
        try:
            return await super().execute(query, params, **options)
        except psycopg.Error as error:
            sqlstate, message = error.sqlstate or "XX000", str(error)
            raise
        finally:
            rows = max(self.rowcount, 0)
            tell(did="answered", request=request, call=call, rows=rows, sqlstate=sqlstate, message=message)


class Pool(AsyncConnectionPool):
    async def getconn(self, timeout=None):
        request = request_of_task.get(None)
        if request is None:
            return await super().getconn(timeout)
        call, began = next_call(), time.perf_counter()
        tell(did="waits", request=request, call=call, line=line_in_handler())
        conn = await super().getconn(timeout)
        us = int((time.perf_counter() - began) * 1e6)
        tell(did="connected", request=request, call=call, line=line_in_handler(), us=us)
        return conn


async def service_wait(service, method, arguments):
    call, answer = next_call(), asyncio.get_running_loop().create_future()
    calls[call] = answer
    request = request_of_task.get(0)
    tell(
        did="called", request=request, call=call, line=line_in_handler(),
        service=service, method=method, arguments=arguments,
    )
    answer = await answer
    if "error" in answer:
        module = importlib.import_module(answer["module"])
        raise getattr(module, answer["error"])(answer["message"], answer["body"])
    return answer["result"]


def logged(level, text):
    tell(did="logged", request=request_of_task.get(None), line=line_in_handler(), level=level, text=text)


class Printed:
    """Standard output of a process: each line is one of its log."""

    def __init__(self):
        self.begun = ""

    def write(self, text):
        *lines, self.begun = (self.begun + text).split("\n")
        for line in lines:
            logged("info", line)
        return len(text)

    def flush(self):
        pass


class Collector(logging.Handler):
    def emit(self, record):
        logged(record.levelname.lower(), self.format(record))


@functools.cache
def parameters_of(handler):
    return tuple(inspect.signature(handler).parameters)


async def handle(pool, handler, message):
    request = message["request"]
    request_of_task.set(request)
    status, body, error = 500, None, None
    try:
        parameters = parameters_of(handler)
        injected = {"request": message.get("arguments"), "pool": pool, **settings["clients"]}
        arguments = {name: injected[name] for name in parameters if name != "conn"}
        if "conn" in parameters:
            async with pool.connection() as conn:
                body = await handler(conn=conn, **arguments)
        else:
            body = await handler(**arguments)
        status = body.get("status", 200) if isinstance(body, dict) else 200
    except Exception:
        error = traceback.format_exc()
    tell(did="finished", request=request, status=status, body=body, error=error)


async def script(entry, arguments):
    request_of_task.set(arguments["id"])
    injected = {"client": arguments, **settings["clients"]}
    try:
        await entry(**{name: injected[name] for name in parameters_of(entry)})
    except Exception:
        tell(did="gave-up", error=traceback.format_exc())


async def messages():
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 26)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield json.loads(line)


def begin(work):
    task = asyncio.create_task(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)


def answered(message):
    if answer := calls.pop(message["call"], None):
        answer.cancelled() or answer.set_result(message)


def client(spec):
    """None where the module is made of what this Python does not have: no handler of this scenario asks for it."""
    try:
        module = importlib.import_module(spec["module"])
    except ImportError:
        return None
    return getattr(module, spec["attribute"]) if spec["attribute"] else module


def code():
    """The handlers' or scripts' own file."""
    sys.path.insert(0, settings["modules"])
    settings["clients"] = {name: client(spec) for name, spec in settings["clients"].items()}
    module = types.ModuleType("handlers")
    with open(settings["path"], encoding="utf-8") as file:
        exec(compile(file.read(), settings["path"], "exec"), module.__dict__)
    return module


async def least(work):
    """The shortest time that it takes."""
    took = []
    for _ in range(TRIALS):
        began = time.perf_counter()
        await work()
        took.append(time.perf_counter() - began)
    return min(took)


async def late_s():
    """What timers and waking up add to a trip on this machine at the least. It is a part of the scenario's network, not on top of it."""
    async def ask():
        await conn.execute("SELECT 1")

    async def wait_and_ask():
        await asyncio.sleep(settings["network_s"])
        await ask()

    async with await psycopg.AsyncConnection.connect(settings["dsn"], autocommit=True) as conn:
        at_once, after_a_wait = await least(ask), await least(wait_and_ask)
    return min(max(after_a_wait - settings["network_s"] - at_once, 0), settings["network_s"])


async def acquaint(conn):
    """The server has learnt about every table before requests come, as on a connection that has served for long."""
    cur = await conn.execute("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = current_schema()")
    for (table,) in await cur.fetchall():
        await conn.execute(f"SELECT * FROM {table} LIMIT 1")
    await conn.rollback()


def connections(dsn):
    size = settings["pool"]
    return Pool(
        dsn, connection_class=Connection, min_size=size, max_size=size, configure=acquaint,
        timeout=settings["pool_timeout_s"], kwargs={"cursor_factory": Cursor}, open=False,
    )


def held_by(module):
    """What the module's variables refer to, in bytes. Functions, classes and modules are code, not data."""
    left, seen, size = list(vars(module).values()), set(), 0
    while left:
        value = left.pop()
        if id(value) not in seen and not isinstance(value, CODE):
            seen.add(id(value))
            size += sys.getsizeof(value)
            left.extend(gc.get_referents(value))
    return size


async def serve(stdin):
    """A process of the service."""
    sys.stdout = Printed()
    logging.getLogger().addHandler(Collector())
    handlers = code()
    # The collector does not walk through what stays for ever.
    gc.collect()
    gc.freeze()
    settings["late_s"] = await late_s() if settings["network_s"] > 0 else 0
    async with contextlib.AsyncExitStack() as pools:
        pool = await pools.enter_async_context(connections(settings["dsn"]))
        await pool.wait()
        if settings["replica_dsn"]:
            settings["clients"]["replica"] = await pools.enter_async_context(connections(settings["replica_dsn"]))
            await settings["clients"]["replica"].wait()
        tell(did="ready")
        async for message in stdin:
            if message["do"] == "answer":
                answered(message)
            elif message["do"] == "weigh":
                tell(did="weighed", bytes=held_by(handlers))
            else:
                begin(handle(pool, getattr(handlers, message["entry"]), message))
        for task in tasks:
            task.cancel()


async def play(stdin):
    """The clients' scripts."""
    scripts = code()
    tell(did="ready")
    async for message in stdin:
        if message["do"] == "answer":
            answered(message)
        else:
            begin(script(getattr(scripts, message["entry"]), message["arguments"]))
    write()
    os._exit(0)


async def audit(stdin):
    """The parent's own statements, one after the other: schema, rows, services' books, invariants."""
    conn = await psycopg.AsyncConnection.connect(settings["dsn"], autocommit=True, connect_timeout=10)
    async with conn:
        (name,) = await (await conn.execute("SELECT version()")).fetchone()
        version = conn.info.server_version
        tell(did="ready", server=version, name=name, psycopg=psycopg.__version__, python=sys.version.split()[0])
        async for message in stdin:
            results, error = [], None
            try:
                for sql, params in message["statements"]:
                    cur = await conn.execute(sql, params or None)
                    columns = [column.name for column in cur.description or []]
                    rows = await cur.fetchall() if cur.description else []
                    results.append({"columns": columns, "rows": [list(row) for row in rows]})
            except psycopg.Error as failure:
                error = str(failure).strip()
            tell(did="audited", audit=message["audit"], results=results, error=error, lost=conn.broken)
        # Nobody has ended this host, so the parent is gone, and what it would have cleaned up is still there.
        shutil.rmtree(settings["modules"], ignore_errors=True)
        await conn.execute(settings["at_end"])


async def main():
    shim = types.ModuleType("_twoam")
    shim.service_wait = service_wait
    sys.modules["_twoam"] = shim
    stdin = messages()
    settings.update(await anext(stdin))
    await {"audit": audit, "play": play, "serve": serve}[settings["role"]](stdin)


# Ctrl-C ends the parent; what follows from that is told by stdin.
signal.signal(signal.SIGINT, signal.SIG_IGN)
settings = {}
try:
    # Timers of the usual loop fire at whole milliseconds, which bunches clients and lengthens trips; those of select do not.
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    asyncio.set_event_loop(loop)
    loop.run_until_complete(main())
except Exception as error:
    words = " ".join(str(error).split())
    told = words if isinstance(error, psycopg.Error) else f"{type(error).__name__}: {words}"
    untold.append(encode({"did": "failed", "error": told}) + "\n")
    write()
    sys.exit(1)
