"""Sign-up: one at a time for each address, by a lock on the address itself."""

import hashlib

WELCOME_CREDIT_CENTS = 1000


def lock_key(email):
    """The address as a 64-bit number, the same in every process. (Python's own hash() is not.)

    Two addresses that share a number only wait for each other; nothing goes wrong.
    """
    digest = hashlib.sha256(f"sign-up:{email}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


async def sign_up(conn, request):
    email = request["email"].strip().lower()
    name = request["name"].strip()

    async with conn.transaction():
        # There is no row to lock yet, so the lock is on a number. It is let go with the commit or
        # rollback. READ COMMITTED matters: the SELECT below has to see what committed during the wait.
        await conn.execute("SELECT pg_advisory_xact_lock(%s)", (lock_key(email),))

        cur = await conn.execute("SELECT id FROM users WHERE email = %s", (email,))
        if await cur.fetchone() is not None:
            return {"status": 409, "error": "this email address is already registered"}

        cur = await conn.execute(
            "INSERT INTO users (email, name) VALUES (%s, %s) RETURNING id",
            (email, name),
        )
        (user_id,) = await cur.fetchone()
        await conn.execute(
            "INSERT INTO welcome_credits (user_id, amount_cents) VALUES (%s, %s)",
            (user_id, WELCOME_CREDIT_CENTS),
        )

    return {"status": 201, "user_id": user_id}
