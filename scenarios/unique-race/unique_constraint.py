"""Sign-up: the database decides who has an address, in the same moment in which it is taken."""

WELCOME_CREDIT_CENTS = 1000


async def sign_up(conn, request):
    email = request["email"].strip().lower()
    name = request["name"].strip()

    async with conn.transaction():
        # An insert of an equal address waits until this transaction is over, and then finds its row.
        # DO NOTHING: an address that is taken is an answer, no error that fills the log.
        cur = await conn.execute(
            "INSERT INTO users (email, name) VALUES (%s, %s)"
            " ON CONFLICT (email) DO NOTHING RETURNING id",
            (email, name),
        )
        created = await cur.fetchone()
        if created is None:
            return {"status": 409, "error": "this email address is already registered"}
        (user_id,) = created

        await conn.execute(
            "INSERT INTO welcome_credits (user_id, amount_cents) VALUES (%s, %s)",
            (user_id, WELCOME_CREDIT_CENTS),
        )

    return {"status": 201, "user_id": user_id}
