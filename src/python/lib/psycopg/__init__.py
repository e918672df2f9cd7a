"""psycopg 3 for handlers: connections, cursors and transactions whose round trips the simulation answers."""

from _twoam import connect_errors, dicts, sql_wait

from . import errors, rows
from .errors import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    Rollback,
    Warning,
)

__version__ = "3.2.0"
apilevel = "2.0"
threadsafety = 2
paramstyle = "pyformat"

_IDLE = 0
_ACTIVE = 1
_INTRANS = 2
_INERROR = 3
_UNKNOWN = 4


class IsolationLevel:
    """The level `AsyncConnection.set_isolation_level` takes."""

    def __init__(self, value, name):
        self.value = value
        self.name = name

    def __int__(self):
        return self.value

    def __repr__(self):
        return f"<IsolationLevel.{self.name}: {self.value}>"


IsolationLevel.READ_UNCOMMITTED = IsolationLevel(1, "READ_UNCOMMITTED")
IsolationLevel.READ_COMMITTED = IsolationLevel(2, "READ_COMMITTED")
IsolationLevel.REPEATABLE_READ = IsolationLevel(3, "REPEATABLE_READ")
IsolationLevel.SERIALIZABLE = IsolationLevel(4, "SERIALIZABLE")
_LEVELS = {
    1: IsolationLevel.READ_UNCOMMITTED,
    2: IsolationLevel.READ_COMMITTED,
    3: IsolationLevel.REPEATABLE_READ,
    4: IsolationLevel.SERIALIZABLE,
}


class _Status:
    def __init__(self, value, name):
        self.value = value
        self.name = name

    def __repr__(self):
        return f"<TransactionStatus.{self.name}: {self.value}>"


class pq:
    """The part of psycopg.pq a handler asks for."""

    class TransactionStatus:
        IDLE = _Status(0, "IDLE")
        ACTIVE = _Status(1, "ACTIVE")
        INTRANS = _Status(2, "INTRANS")
        INERROR = _Status(3, "INERROR")
        UNKNOWN = _Status(4, "UNKNOWN")

    _statuses = (
        TransactionStatus.IDLE,
        TransactionStatus.ACTIVE,
        TransactionStatus.INTRANS,
        TransactionStatus.INERROR,
        TransactionStatus.UNKNOWN,
    )


class ConnectionInfo:
    def __init__(self, connection):
        self._connection = connection

    @property
    def transaction_status(self):
        connection = self._connection
        return pq._statuses[_UNKNOWN if connection._session is None else connection._status]

    @property
    def backend_pid(self):
        return self._connection._session


class Column:
    """One column of a result, as `cursor.description` lists them."""

    __slots__ = ("name", "type_name")

    def __init__(self, name, type_name):
        self.name = name
        self.type_name = type_name

    def __getitem__(self, index):
        return (self.name, self.type_name, None, None, None, None, None)[index]

    def __len__(self):
        return 7

    def __repr__(self):
        return f"<Column {self.name!r}, type: {self.type_name}>"


class AsyncConnection:
    """One session of the database."""

    # Most connections live for one request and change few of these.
    _status = _IDLE
    _autocommit = False
    _begin = "BEGIN"
    _isolation_level = None
    _read_only = None
    _deferrable = None
    _busy = False
    _line = None
    _depth = 0
    _pool = None
    broken = False
    row_factory = staticmethod(rows.tuple_row)

    def __init__(self, session):
        self._session = session

    @property
    def cursor_factory(self):
        return AsyncCursor

    @classmethod
    async def connect(cls, conninfo="", **kwargs):
        raise NotSupportedError(
            "connections come from the pool here: take the handler parameter `conn`, or `async with pool.connection()`"
        )

    def __repr__(self):
        name = "BAD" if self._session is None else pq._statuses[self._status].name
        return f"<psycopg.AsyncConnection [{name}]>"

    @property
    def closed(self):
        return self._session is None

    @property
    def info(self):
        return ConnectionInfo(self)

    @property
    def autocommit(self):
        return self._autocommit

    @property
    def isolation_level(self):
        return self._isolation_level

    @property
    def read_only(self):
        return self._read_only

    @property
    def deferrable(self):
        return self._deferrable

    async def set_autocommit(self, value):
        self._not_in_transaction("autocommit")
        self._autocommit = bool(value)

    async def set_isolation_level(self, value):
        self._not_in_transaction("isolation_level")
        self._isolation_level = None if value is None else _LEVELS[int(value)]
        self._compose_begin()

    async def set_read_only(self, value):
        self._not_in_transaction("read_only")
        self._read_only = None if value is None else bool(value)
        self._compose_begin()

    async def set_deferrable(self, value):
        self._not_in_transaction("deferrable")
        self._deferrable = None if value is None else bool(value)
        self._compose_begin()

    def cursor(self, name="", *, binary=False, row_factory=None, scrollable=None, withhold=False):
        if name:
            raise NotSupportedError("named (server-side) cursors are not simulated")
        if self._session is None:
            raise OperationalError("the connection is closed")
        # Every statement comes through here: a cursor is made without its __init__.
        cursor = _blank(AsyncCursor)
        cursor.connection = self
        if row_factory is not None:
            cursor._row_factory = row_factory
        return cursor

    def execute(self, query, params=None, *, prepare=None, binary=False):
        cursor = _blank(AsyncCursor)
        cursor.connection = self
        return cursor.execute(query, params)

    async def commit(self):
        if self._depth:
            raise ProgrammingError(
                "Explicit commit() forbidden within a Transaction context. "
                "(Transaction will be automatically committed on successful exit from context.)"
            )
        if self._status != _IDLE:
            await self._command("COMMIT")

    async def rollback(self):
        if self._depth:
            raise ProgrammingError(
                "Explicit rollback() forbidden within a Transaction context. "
                "(Either raise Rollback() or allow an exception to propagate out of the context.)"
            )
        if self._status != _IDLE:
            await self._command("ROLLBACK")

    def transaction(self, savepoint_name=None, force_rollback=False):
        return AsyncTransaction(self, savepoint_name, force_rollback)

    def pipeline(self):
        raise NotSupportedError("pipeline mode is not simulated: every statement is a round trip of its own")

    async def close(self):
        if self._session is not None:
            if self._status != _IDLE and not self.broken:
                await self._command("ROLLBACK")
            if self._pool is not None:
                await self._pool.putconn(self)

    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, raised, traceback):
        if self._session is None:
            return
        if kind is None:
            await self.commit()
        else:
            try:
                await self.rollback()
            except Error:
                pass
        await self.close()

    def _not_in_transaction(self, name):
        if self._status != _IDLE:
            raise ProgrammingError(
                f"can't change {name!r} now: connection in transaction status {pq._statuses[self._status].name}"
            )

    def _compose_begin(self):
        words = ["BEGIN"]
        if self._isolation_level is not None:
            words.append("ISOLATION LEVEL " + self._isolation_level.name.replace("_", " "))
        if self._read_only is not None:
            words.append("READ ONLY" if self._read_only else "READ WRITE")
        if self._deferrable is not None:
            words.append("DEFERRABLE" if self._deferrable else "NOT DEFERRABLE")
        self._begin = " ".join(words)

    async def _command(self, sql):
        """One statement of psycopg's own: COMMIT, a savepoint …"""
        if self._session is None:
            raise OperationalError("the connection is closed")
        if self._busy:
            await self._turn()
        self._busy = True
        try:
            result = await sql_wait(self._session, sql, None)
            self._follow(result[-1][2], sql)
            return result
        except BaseException as raised:
            self._after(raised)
            if sql == "COMMIT" and self._status == _INERROR and isinstance(raised, Error):
                # A commit that is refused has rolled back.
                self._status = _IDLE
            raise
        finally:
            self._busy = False
            if self._line:
                self._line.pop(0).set_result(None)

    async def _turn(self):
        """A connection answers one statement at a time: others wait for it in line."""
        from asyncio import Future

        while self._busy:
            if self._line is None:
                self._line = []
            turn = Future()
            self._line.append(turn)
            try:
                await turn
            except BaseException:
                if turn in self._line:
                    self._line.remove(turn)
                elif not self._busy and self._line:
                    self._line.pop(0).set_result(None)
                raise

    def _follow(self, tag, text):
        """The transaction status a finished statement leaves."""
        if tag == "BEGIN" or tag == "START TRANSACTION":
            self._status = _INTRANS
        elif tag == "COMMIT":
            self._status = _IDLE
        elif tag == "ROLLBACK":
            # ROLLBACK TO SAVEPOINT has the same tag and leaves the transaction open.
            if " TO " in text.upper():
                self._status = _INTRANS
            else:
                self._status = _IDLE

    def _after(self, raised):
        """What a failed or cancelled statement leaves."""
        if isinstance(raised, Error):
            state = raised.sqlstate
            if state is not None and (state[:2] == "08" or state in ("57P01", "57P02", "57P03")):
                self.broken = True
                self._status = _UNKNOWN
                return
            if state is None:
                return
        if self._status == _INTRANS:
            self._status = _INERROR


Connection = AsyncConnection


class AsyncCursor:
    """Sends statements and hands out the rows of the last one."""

    arraysize = 1
    rowcount = -1
    statusmessage = None
    _row_factory = None
    _results = ()
    _at = 0
    _rows = None
    _columns = None
    _place = 0
    _closed = False

    def __init__(self, connection, *, row_factory=None):
        self.connection = connection
        if row_factory is not None:
            self._row_factory = row_factory

    def __repr__(self):
        return f"<psycopg.AsyncCursor [{'closed' if self._closed else 'open'}]>"

    @property
    def row_factory(self):
        return self._row_factory or self.connection.row_factory

    @row_factory.setter
    def row_factory(self, factory):
        self._row_factory = factory

    @property
    def closed(self):
        return self._closed

    @property
    def rownumber(self):
        return self._place if self._rows is not None else None

    @property
    def description(self):
        if self._columns is None:
            return None
        return [Column(name, type_name) for name, type_name in self._columns]

    async def execute(self, query, params=None, *, prepare=None, binary=None):
        connection = self.connection
        session = connection._session
        if session is None:
            raise OperationalError("the connection is closed")
        if self._closed:
            raise InterfaceError("the cursor is closed")
        # The text is checked before anything is sent, as psycopg does.
        wait = sql_wait(session, query, params)
        if connection._busy:
            await connection._turn()
        connection._busy = True
        try:
            if connection._status == _IDLE and not connection._autocommit:
                await sql_wait(session, connection._begin, None)
                connection._status = _INTRANS
            # A text without a statement in it, such as ";", has no result.
            results = await wait or _EMPTY
            tag = results[-1][2]
            if tag in _TRANSACTION_TAGS:
                connection._follow(tag, query)
        except BaseException as raised:
            connection._after(raised)
            raise
        finally:
            connection._busy = False
            if connection._line:
                connection._line.pop(0).set_result(None)
        self._results = results
        self._at = 0
        self._show(results[0])
        return self

    async def executemany(self, query, params_seq, *, returning=False):
        total = 0
        kept = []
        for params in params_seq:
            await self.execute(query, params)
            if self.rowcount > 0:
                total += self.rowcount
            if returning:
                kept.extend(self._results)
        if returning and kept:
            self._results = kept
            self._at = 0
            self._show(kept[0])
        else:
            self._rows = self._columns = None
            self.rowcount = total

    def nextset(self):
        if self._at + 1 >= len(self._results):
            return None
        self._at += 1
        self._show(self._results[self._at])
        return True

    async def fetchone(self):
        rows = self._rows
        if rows is None:
            self._no_rows()
        place = self._place
        if place >= len(rows):
            return None
        self._place = place + 1
        return rows[place]

    async def fetchmany(self, size=0):
        if self._rows is None:
            self._no_rows()
        start = self._place
        self._place = min(start + (size or self.arraysize), len(self._rows))
        return self._rows[start : self._place]

    async def fetchall(self):
        if self._rows is None:
            self._no_rows()
        if self._place == 0:
            self._place = len(self._rows)
            return list(self._rows)
        start, self._place = self._place, len(self._rows)
        return self._rows[start:]

    async def stream(self, query, params=None, *, binary=None, size=1):
        await self.execute(query, params)
        for row in await self.fetchall():
            yield row

    async def scroll(self, value, mode="relative"):
        if self._rows is None:
            self._no_rows()
        place = value if mode == "absolute" else self._place + value
        if not 0 <= place < len(self._rows):
            raise IndexError("position out of bound")
        self._place = place

    def __aiter__(self):
        if self._rows is None:
            self._no_rows()
        return self

    async def __anext__(self):
        place = self._place
        if place >= len(self._rows):
            raise StopAsyncIteration
        self._place = place + 1
        return self._rows[place]

    async def close(self):
        self._closed = True

    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, raised, traceback):
        self._closed = True

    def copy(self, statement, params=None, *, writer=None):
        raise NotSupportedError("COPY is not simulated")

    def _show(self, result):
        rows, columns, tag, count = result
        self._columns = columns
        self._place = 0
        self.statusmessage = tag
        self.rowcount = count
        if columns is not None:
            factory = self._row_factory or self.connection.row_factory
            if factory is dict_row:
                rows = dicts(columns, rows)
            elif factory is not tuple_row:
                make = factory(self)
                rows = [make(row) for row in rows]
        self._rows = rows

    def _no_rows(self):
        if self._closed:
            raise InterfaceError("the cursor is closed")
        if not self._results:
            raise ProgrammingError("no result available")
        status = f"command status: {self.statusmessage}" if self.statusmessage else "result status: EMPTY_QUERY"
        raise ProgrammingError(f"the last operation didn't produce records ({status})")


Cursor = AsyncCursor
AsyncClientCursor = ClientCursor = AsyncCursor
tuple_row = rows.tuple_row
dict_row = rows.dict_row
_blank = object.__new__
_EMPTY = ((None, None, None, -1),)
_TRANSACTION_TAGS = frozenset(("BEGIN", "START TRANSACTION", "COMMIT", "ROLLBACK"))


class AsyncTransaction:
    """`async with conn.transaction()`: a transaction, or a savepoint inside one."""

    def __init__(self, connection, savepoint_name=None, force_rollback=False):
        self.connection = connection
        self._name = savepoint_name
        self.force_rollback = force_rollback
        self._outer = False
        self._entered = False

    @property
    def savepoint_name(self):
        return self._name

    @property
    def status(self):
        return self.connection.info.transaction_status

    async def __aenter__(self):
        connection = self.connection
        if self._entered:
            raise TypeError("transaction blocks can be used only once")
        self._entered = True
        self._outer = connection._status == _IDLE
        if self._outer:
            await connection._command(connection._begin)
            if self._name:
                await connection._command("SAVEPOINT " + _identifier(self._name))
        else:
            if not self._name:
                self._name = f"_pg3_{connection._depth + 1}"
            await connection._command("SAVEPOINT " + _identifier(self._name))
        connection._depth += 1
        return self

    async def __aexit__(self, kind, raised, traceback):
        connection = self.connection
        connection._depth -= 1
        if kind is None and not self.force_rollback:
            if self._outer:
                await connection._command("COMMIT")
            else:
                await connection._command("RELEASE " + _identifier(self._name))
            return False
        if connection._session is None or connection.broken:
            return False
        try:
            if self._outer:
                await connection._command("ROLLBACK")
            else:
                await connection._command("ROLLBACK TO " + _identifier(self._name))
                await connection._command("RELEASE " + _identifier(self._name))
        except Error:
            if kind is None:
                raise
            return False
        if kind is not None and issubclass(kind, Rollback):
            return raised.transaction is None or raised.transaction is self
        return False


def _identifier(name):
    return '"' + name.replace('"', '""') + '"'


def _no_connect(*args, **kwargs):
    raise NotSupportedError("a handler is asynchronous: use `conn`, or `async with pool.connection()`")


connect = _no_connect
connect_errors(errors._raised, ProgrammingError)
