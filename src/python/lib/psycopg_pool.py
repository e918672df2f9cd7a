"""The connection pool of the scenario, with psycopg_pool's interface."""

from _twoam import acquire_wait, pool_errors, release_wait
from psycopg import AsyncConnection
from psycopg.errors import OperationalError

__all__ = ["AsyncConnectionPool", "AsyncNullConnectionPool", "PoolClosed", "PoolTimeout", "TooManyRequests"]


class PoolClosed(OperationalError):
    __module__ = "psycopg_pool"


class PoolTimeout(OperationalError):
    __module__ = "psycopg_pool"


class TooManyRequests(OperationalError):
    __module__ = "psycopg_pool"


class AsyncConnectionPool:
    """Its size is the scenario's, whatever the code asks for: knobs change it while a run is going."""

    _of_replica = False

    def __init__(
        self, conninfo="", *, min_size=4, max_size=None, open=None, timeout=None, kwargs=None, name=None, **settings
    ):
        self.name = name or "pool-1"
        self.min_size = min_size
        self.max_size = max_size
        self.timeout = timeout
        self.closed = False
        self.kwargs = kwargs or {}

    def connection(self, timeout=None):
        return _Lent(self, timeout)

    async def getconn(self, timeout=None):
        session = await acquire_wait(self.timeout if timeout is None else timeout, self._of_replica)
        connection = AsyncConnection(session)
        connection._pool = self
        if self.kwargs:
            connection._autocommit = bool(self.kwargs.get("autocommit", False))
            connection.row_factory = self.kwargs.get("row_factory") or AsyncConnection.row_factory
        return connection

    async def putconn(self, connection):
        session = connection._session
        if session is None:
            return
        try:
            if connection._status > 1 and not connection.broken:
                connection._depth = 0
                await connection.rollback()
        finally:
            connection._session = None
            await release_wait(session)

    async def open(self, wait=False, timeout=30.0):
        self.closed = False

    async def wait(self, timeout=30.0):
        return None

    async def check(self):
        return None

    async def close(self, timeout=5.0):
        return None

    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, raised, traceback):
        return None

    def get_stats(self):
        return {"pool_min": self.min_size, "pool_max": self.max_size}


AsyncNullConnectionPool = AsyncConnectionPool


class _Lent:
    """A connection for the length of a block: committed at its end, rolled back when the block raises."""

    __slots__ = ("_pool", "_timeout", "_connection")

    def __init__(self, pool, timeout):
        self._pool = pool
        self._timeout = timeout

    async def __aenter__(self):
        self._connection = connection = await self._pool.getconn(self._timeout)
        return connection

    async def __aexit__(self, kind, raised, traceback):
        connection = self._connection
        session = connection._session
        if session is None:
            return
        try:
            if connection._status > 1 and not connection.broken:
                if kind is None:
                    await connection.commit()
                else:
                    try:
                        await connection.rollback()
                    except OperationalError:
                        pass
        finally:
            connection._session = None
            await release_wait(session)


pool_errors(PoolTimeout)
