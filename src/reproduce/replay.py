"""SENTENCE

2 AM found this in a simulated run and cut it down to the statements that matter. Here they go to a real PostgreSQL in the same
order, each session on a connection of its own; every row and every error is compared.

    pip install "psycopg[binary]" pytest
    DATABASE_URL=postgresql://user@host/database pytest THIS_FILE

The run: twoam run --replay 'SCHEDULE'
"""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
from psycopg.types.string import TextLoader

SCHEMA = f"twoam_replay_{os.getpid()}"


class Any:
    """A time, or something random."""

    def __eq__(self, other):
        return True

    def __repr__(self):
        return "ANY"


class Fails(str):
    """The SQLSTATE of an error."""


class Waits:
    """What a step gives once another session has let it go on."""

    def __init__(self, gives):
        self.gives = gives


ANY = Any()
PENDING = "still waiting"

# FACTS


def connect():
    conn = psycopg.connect(os.environ.get("DATABASE_URL", ""), autocommit=True, prepare_threshold=None)
    conn.execute(f"SET search_path TO {SCHEMA}")
    conn.execute("SET timezone TO 'UTC'")
    # Values as the server writes them.
    for kind in psycopg.adapters.types:
        conn.adapters.register_loader(kind.oid, TextLoader)
        if kind.array_oid:
            conn.adapters.register_loader(kind.array_oid, TextLoader)
    return conn


class Session:
    def __init__(self):
        self.conn = connect()
        self.pid = self.conn.info.backend_pid
        self.thread = ThreadPoolExecutor(1)
        self.answer = None

    def launch(self, sql):
        self.answer = self.thread.submit(self.execute, sql)

    def execute(self, sql):
        try:
            cur = self.conn.execute(sql)
            while cur.nextset():
                pass
            return cur.fetchall() if cur.description else None
        except psycopg.Error as error:
            return Fails(error.sqlstate)

    def close(self):
        if self.answer and not self.answer.done():
            self.conn.cancel_safe(timeout=5)
        self.thread.shutdown()
        self.conn.close()


def replay():
    """Each step with what it was to give and what it gave, then the rows the invariant forbids."""
    control = connect()
    control.execute(f"CREATE SCHEMA {SCHEMA}")
    sessions, given = {}, []
    try:
        for sql in SETUP:
            control.execute(sql)
        for name, sql, gives in STEPS:
            if name not in sessions:
                sessions[name] = Session()
            session = sessions[name]
            if session.answer:
                session.answer.result()
            session.launch(sql)
            waits = settled_waiting(control, session)
            given.append((name, sql, gives, waits, session.answer))
        given = [(name, sql, gives, waits, result_of(answer, gives)) for name, sql, gives, waits, answer in given]
        return given, control.execute(INVARIANT).fetchall()
    finally:
        for session in sessions.values():
            session.close()
        control.execute(f"DROP SCHEMA {SCHEMA} CASCADE")
        control.close()


def settled_waiting(control, session):
    """Whether the session waits for another one, once it is either that or done."""
    while not session.answer.done():
        (blockers,) = control.execute("SELECT cardinality(pg_blocking_pids(%s))", [session.pid]).fetchone()
        if int(blockers) and not session.answer.done():
            return True
        time.sleep(0.002)
    return False


def expected_of(gives):
    return gives.gives if isinstance(gives, Waits) else gives


def result_of(answer, gives):
    return PENDING if expected_of(gives) is PENDING else answer.result(timeout=30)


def differences():
    given, broken = replay()
    told = []
    for number, (name, sql, gives, waits, gave) in enumerate(given, 1):
        expected = expected_of(gives)
        if waits != isinstance(gives, Waits):
            told.append(f"step {number}, {name}: {sql}: it {'waits' if waits else 'does not wait'}")
        if expected != gave or isinstance(expected, Fails) != isinstance(gave, Fails):
            told.append(f"step {number}, {name}: {sql}: expected {expected!r}, got {gave!r}")
    if broken != BROKEN:
        told.append(f"forbidden rows: expected {BROKEN!r}, got {broken!r}")
    return given, broken, told


def test_the_bug_is_there():
    _, broken, told = differences()
    assert not told, "\n".join(told)
    assert broken, "the invariant holds"


if __name__ == "__main__":
    steps, forbidden, apart = differences()
    for session, statement, _, waited, gave in steps:
        print(f"{session:16} {' '.join(statement.split())}\n{'':16} {'(waits) ' if waited else ''}-> {gave}")
    print(f"forbidden rows   {forbidden}")
    print("\n".join(apart) or "every row and every error as in the simulation")
    sys.exit(1 if apart else 0)
