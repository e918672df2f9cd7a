"""Hosts a scenario's handlers: CPython, psycopg 3, a real PostgreSQL. `twoam` starts one for each process of the service.

Reads one JSON object a line from stdin and writes one a line to stdout. It decides nothing: who sends what and when, what
services answer and what is counted is told to it or counted by its parent.
"""

import asyncio
import contextvars
import importlib
import inspect
import json
import os
import sys
import time
import traceback
import types

import psycopg
from psycopg_pool import AsyncConnectionPool

out = os.fdopen(os.dup(1), "w", buffering=1)
sys.stdout = sys.stderr
request_of_task = contextvars.ContextVar("request")
calls = {}


def tell(**message):
    out.write(json.dumps(message, default=str) + "\n")


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


class Cursor(psycopg.AsyncCursor):
    async def execute(self, query, params=None, **options):
        request = request_of_task.get(None)
        if settings["network_s"] > 0:
            await asyncio.sleep(settings["network_s"])
        if request is None:
            return await super().execute(query, params, **options)
        call, sqlstate, message = next_call(), None, ""
        tell(did="statement", request=request, call=call, line=line_in_handler(), text=str(query), params=repr(params))
        began = time.perf_counter()
        try:
            return await super().execute(query, params, **options)
        except psycopg.Error as error:
            sqlstate, message = error.sqlstate or "XX000", str(error)
            raise
        finally:
            us = int((time.perf_counter() - began) * 1e6)
            rows = max(self.rowcount, 0)
            tell(did="answered", request=request, call=call, us=us, rows=rows, sqlstate=sqlstate, message=message)


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


async def handle(pool, handler, message):
    request = message["request"]
    request_of_task.set(request)
    status, body, error = 500, None, None
    try:
        parameters = inspect.signature(handler).parameters
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


async def audit(message):
    """Statements of the parent's own: schema, rows, services' books, invariants."""
    rows, error = [], None
    try:
        async with await psycopg.AsyncConnection.connect(settings["dsn"], autocommit=True) as conn:
            for sql, params in message["statements"]:
                cur = await conn.execute(sql, params or None)
                rows.append([list(row) for row in await cur.fetchall()] if cur.description else [])
    except psycopg.Error as failure:
        error = str(failure).strip()
    tell(did="audited", audit=message["audit"], rows=rows, error=error)


def client(spec):
    module = importlib.import_module(spec["module"])
    return getattr(module, spec["attribute"]) if spec["attribute"] else module


async def main():
    shim = types.ModuleType("_twoam")
    shim.service_wait = service_wait
    sys.modules["_twoam"] = shim
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 26)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)

    settings.update(json.loads(await reader.readline()))
    sys.path.insert(0, settings["modules"])
    settings["clients"] = {name: client(spec) for name, spec in settings["clients"].items()}
    handlers = types.ModuleType("handlers")
    if settings["path"]:
        with open(settings["path"], encoding="utf-8") as file:
            exec(compile(file.read(), settings["path"], "exec"), handlers.__dict__)
    size = settings["pool"]
    connect = {"cursor_factory": Cursor}
    tasks = set()
    async with Pool(
        settings["dsn"], min_size=size, max_size=size, timeout=settings["pool_timeout_s"], kwargs=connect, open=False
    ) as pool:
        await pool.wait()
        version = pool._pool[0].info.server_version if pool._pool else 0
        tell(did="ready", server=version, psycopg=psycopg.__version__, python=sys.version.split()[0])
        while line := await reader.readline():
            message = json.loads(line)
            if message["do"] == "answer":
                if answer := calls.pop(message["call"], None):
                    answer.cancelled() or answer.set_result(message)
                continue
            if message["do"] == "audit":
                work = audit(message)
            else:
                work = handle(pool, getattr(handlers, message["entry"]), message)
            task = asyncio.create_task(work)
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        for task in tasks:
            task.cancel()


settings = {"path": "", "network_s": 0}
asyncio.run(main())
