"""Customers who complain, and the engineer on call who has nothing but the logs."""

import asyncio
import json
import random
import re
import time

SLOW_S = 1.5
# Reading and judging one line.
READING_S = 0.01

_complaints = []


class Complaint:
    """What a customer can tell: which cart, what was wrong, and when."""

    def __init__(self, cart_id, kind, begun):
        self.cart_id = cart_id
        self.kind = kind
        self.begun = begun
        self.ended = time.time()


async def customer(app, http, client):
    carts = 0
    while True:
        await asyncio.sleep(random.expovariate(1 / 1.5))
        carts += 1
        cart_id = f"cart-{client['id']}-{carts}"
        begun = time.time()
        answer = await app.call("checkout", {"cart_id": cart_id, "amount_cents": random.randint(500, 20_000)})
        if answer.status >= 500:
            await complain(http, Complaint(cart_id, "failed", begun))
        elif time.time() - begun > SLOW_S:
            await complain(http, Complaint(cart_id, "slow", begun))


async def complain(http, complaint):
    told = {"reference": complaint.cart_id, "kind": complaint.kind}
    await http.put(f"http://support/complaints/{complaint.cart_id}", json=told)
    _complaints.append(complaint)


async def on_call(http, logs, client):
    while True:
        if not _complaints:
            await asyncio.sleep(0.2)
            continue
        complaint = _complaints.pop(0)
        causes, lines_read = await investigate(logs, complaint)
        await asyncio.sleep(lines_read * READING_S)
        finding = {
            "reference": complaint.cart_id,
            "kind": complaint.kind,
            "cause": causes.pop() if len(causes) == 1 else None,
            "suspects": len(causes),
            "lines_read": lines_read,
        }
        await http.put(f"http://support/findings/{complaint.cart_id}", json=finding)


async def investigate(logs, complaint):
    """The services that may be to blame, and how many lines it took to see that."""
    # First whatever speaks of this cart, and then whatever belongs to the same request.
    lines = [line for line in await logs.search(complaint.cart_id) if speaks_of(line, complaint.cart_id)]
    lines_read = len(lines)
    traces = {fields(line).get("trace_id") for line in lines} - {None}
    if traces:
        lines = await logs.search(traces.pop())
        lines_read += len(lines)
    causes = suspects(lines, complaint.kind)
    if causes:
        return causes, lines_read

    # Nothing there. What else happened while the customer waited?
    now = time.time()
    lines = await logs.search(last_s=now - complaint.begun, before_s=now - complaint.ended)
    return suspects(lines, complaint.kind), lines_read + len(lines)


def speaks_of(line, cart_id):
    """cart-1-2, not cart-1-21."""
    return re.search(re.escape(cart_id) + r"\b", line.text) is not None


def suspects(lines, kind):
    blamed = set()
    for line in lines:
        told = fields(line)
        for call in told.get("calls", [told]):
            if kind == "failed" and call.get("error"):
                blamed.add(call.get("service"))
            if kind == "slow" and call.get("ms", 0) > SLOW_S * 1000 * 0.9:
                blamed.add(call.get("service"))
        if not told and kind == "failed" and "ERROR" in line.text:
            named = re.search(r"http://(\w+)/|from (\w+)", line.text)
            blamed.add(named and (named[1] or named[2]))
    return blamed - {None}


def fields(line):
    """What a structured line says; nothing of one that is prose."""
    if not line.text.startswith("{"):
        return {}
    return json.loads(line.text)
