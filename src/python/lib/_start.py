"""Run once when an interpreter starts: how modules are found, and what a handler's builtins are."""

import builtins
import sys
import time
from _frozen_importlib import ModuleSpec

import _twoam

PUBLIC = _twoam.public_modules()


class _Library:
    """Finds the modules that come with the interpreter; the last finder, so what it has not, nobody has."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        found = _twoam.library_code(name)
        if found is None:
            return None
        code, package = found
        spec = ModuleSpec(name, _Library, origin="library", is_package=package)
        spec.loader_state = code
        return spec

    @staticmethod
    def create_module(spec):
        return None

    @staticmethod
    def exec_module(module):
        code = module.__spec__.loader_state
        module.__spec__.loader_state = None
        exec(code, module.__dict__)


sys.meta_path.insert(0, _Library)



def _at(function):
    """`function` of a time, which is now unless one is given."""

    def at(seconds=None):
        return function(_twoam.wall_us() / 1e6 if seconds is None else seconds)

    return at


# The clock is the run's: nothing here may read the host's.
time.time = lambda: _twoam.wall_us() / 1e6
time.time_ns = lambda: _twoam.wall_us() * 1000
time.monotonic = time.perf_counter = time.process_time = time.thread_time = _twoam.monotonic
time.monotonic_ns = time.perf_counter_ns = time.process_time_ns = time.thread_time_ns = _twoam.monotonic_ns
time.sleep = _twoam.block
time.gmtime = _at(time.gmtime)
time.localtime = time.gmtime
time.ctime = _at(time.ctime)
time.tzname = ("UTC", "UTC")
time.timezone = time.altzone = time.daylight = 0


def _print(*values, sep=" ", end="\n", file=None, flush=False):
    text = (" " if sep is None else sep).join([str(value) for value in values])
    if file is not None:
        file.write(text + ("\n" if end is None else end))
    else:
        _twoam.log(20, text)


def _import(name, globals=None, locals=None, fromlist=(), level=0):
    if level == 0 and name.partition(".")[0] not in _public:
        from _missing import module

        raise ModuleNotFoundError(module(name, PUBLIC), name=name)
    try:
        found = __import__(name, globals, locals, fromlist, level)
    except ModuleNotFoundError as error:
        from _missing import part

        raise ModuleNotFoundError(part(error.name), name=error.name) from None
    for wanted in fromlist or ():
        if wanted != "*" and not hasattr(found, wanted):
            from _missing import attribute

            raise ImportError(attribute(found, wanted), name=name)
    return found


def _missing(name):
    def refuse(*args, **kwargs):
        raise NotImplementedError(f"{name}() is not available in a handler here")

    refuse.__name__ = refuse.__qualname__ = name
    return refuse


class EndlessLoop(BaseException):
    """Raised in a handler that does not come to an await. Not an Exception: a handler's own `except` is no way out."""

    __module__ = "builtins"


_public = frozenset(PUBLIC)
HANDLER_BUILTINS = dict(vars(builtins))
HANDLER_BUILTINS["print"] = _print
HANDLER_BUILTINS[_twoam.COUNTER] = _twoam.round
HANDLER_BUILTINS["__import__"] = _import
for _name in ("open", "eval", "exec", "compile", "input", "breakpoint", "help"):
    HANDLER_BUILTINS[_name] = _missing(_name)

# These are themselves library modules: they can be imported only now.
import asyncio
import psycopg
import psycopg_pool

_twoam.loop_errors(EndlessLoop, asyncio.CancelledError)
sys.set_asyncgen_hooks(finalizer=asyncio._close_later)

pool = psycopg_pool.AsyncConnectionPool()
replica = psycopg_pool.AsyncConnectionPool(name="replica")
replica._of_replica = True


async def with_connection(handler, arguments):
    """A handler that has a parameter `conn` gets one as FastAPI's dependency with `yield` would hand it in.

    This is `async with pool.connection()`, written out: every request comes through here.
    """
    session = await _twoam.acquire_wait(None)
    connection = arguments["conn"] = psycopg.AsyncConnection(session)
    connection._pool = pool
    try:
        result = await handler(**arguments)
        if connection._status > 1 and connection._session is not None:
            await connection._command("COMMIT")
        return result
    except BaseException:
        if connection._status > 1 and connection._session is not None and not connection.broken:
            try:
                await connection._command("ROLLBACK")
            except psycopg.OperationalError:
                pass
        raise
    finally:
        if connection._session is not None:
            connection._session = None
            await _twoam.release_wait(session)
