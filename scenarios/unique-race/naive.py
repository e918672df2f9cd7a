"""Sign-up: create an account with a welcome credit."""

WELCOME_CREDIT_CENTS = 1000


async def sign_up(conn, request):
    """Register a new user. Each email address can be used once."""
    email = request["email"].strip().lower()
    name = request["name"].strip()

    async with conn.transaction():
        # Is the address taken?
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
