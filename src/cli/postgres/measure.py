"""Measures what statements cost on a server of this machine. `twoam calibrate` starts it: one JSON object in, one out.

Processor time comes from the kernel's account of each process, so that what else runs on the machine counts little; the time of a
flush is what a COMMIT takes beside that.
"""

import asyncio
import json
import random
import statistics
import sys
import time

import psycopg


def on_core_us(pid):
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0]) / 1e3


async def probe(conn, spec):
    """Processor time of one statement, at the server and here: of the series that was disturbed least."""
    pid = conn.info.backend_pid
    server, client = [], []
    cur = conn.cursor()
    for series in range(spec["series"] + 1):
        began, own = on_core_us(pid), time.process_time()
        for _ in range(spec["count"]):
            params = [random.randint(1, spec["keys"])] if spec["keys"] else None
            await cur.execute(spec["sql"], params)
            if cur.description:
                await cur.fetchall()
        # The first one warms caches.
        if series:
            server.append((on_core_us(pid) - began) / spec["count"])
            client.append((time.process_time() - own) * 1e6 / spec["count"])
    await conn.rollback()
    return {"server_us": min(server), "client_us": min(client)}


async def commits(conn, spec):
    """One transaction with one write: the processor time of all of it, and how long its COMMIT takes while the disk is not busy with others."""
    pid, took = conn.info.backend_pid, []
    began = on_core_us(pid)
    for _ in range(spec["count"]):
        await conn.execute(spec["sql"], [random.randint(1, spec["keys"])])
        at = time.perf_counter()
        await conn.commit()
        took.append((time.perf_counter() - at) * 1e6)
    server = (on_core_us(pid) - began) / spec["count"]
    return {"server_us": server, "commit_us": statistics.quantiles(took, n=4)[0]}


async def main():
    job = json.load(sys.stdin)
    async with await psycopg.AsyncConnection.connect(job["dsn"], autocommit=True) as conn:
        for sql in job["setup"]:
            await conn.execute(sql)
        (version,) = await (await conn.execute("SELECT version()")).fetchone()
    async with await psycopg.AsyncConnection.connect(job["dsn"]) as conn:
        probes = [await probe(conn, spec) for spec in job["probes"]]
        commit = await commits(conn, job["commit"])
    json.dump({"probes": probes, "commit": commit, "version": version}, sys.stdout)


try:
    asyncio.run(main())
except (psycopg.Error, OSError) as error:
    sys.exit(" ".join(str(error).split()))
