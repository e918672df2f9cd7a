"""The shop's account API. The session is a cookie that scripts cannot read and other sites cannot send along."""

import hashlib
import json
import secrets

APP = "https://shop.example"

PAGE = """<!doctype html>
<title>My account</title>
<div id="app"></div>
<script src="https://shop.example/app.js"></script>
<script src="https://widget.example/chat.js"></script>"""


async def account_page(request):
    """The page of the app, with the support chat."""
    return {"status": 200, "html": PAGE}


async def login(conn, request):
    """The password has been checked. The browser keeps the session; the app never sees it."""
    user_id = json.loads(request["body"])["user_id"]
    token = secrets.token_urlsafe(32)
    await conn.execute("INSERT INTO sessions (token_hash, user_id) VALUES (%s, %s)", (digest(token), user_id))
    return {
        "status": 200,
        # shop.example and api.shop.example are different origins and one site: Lax is enough for the app.
        # Without Domain the cookie belongs to the API's host alone. __Host- makes browsers insist on that.
        "set_cookie": f"__Host-session={token}; Path=/; Secure; HttpOnly; SameSite=Lax",
    }


async def account(conn, request):
    user_id = await signed_in(conn, request)
    if user_id is None:
        return {"status": 401, "error": "please log in"}
    cur = await conn.execute("SELECT points FROM accounts WHERE user_id = %s", (user_id,))
    (points,) = await cur.fetchone()
    await served(conn, user_id, request)
    return {"status": 200, "user_id": user_id, "points": points}


async def send_points(conn, request):
    """Give some of one's points to a friend."""
    user_id = await signed_in(conn, request)
    if user_id is None:
        return {"status": 401, "error": "please log in"}
    # A second line, for browsers that know no SameSite and for a sister host that was taken over.
    if request["headers"].get("origin") != APP or not is_json(request):
        return {"status": 403, "error": "not from our app"}
    gift = json.loads(request["body"])
    return await give(conn, user_id, gift["to_user"], gift["points"], request)


async def give(conn, user_id, to_user, points, request):
    if points <= 0:
        return {"status": 422, "error": "give at least one point"}
    async with conn.transaction():
        cur = await conn.execute(
            "UPDATE accounts SET points = points - %s WHERE user_id = %s AND points >= %s", (points, user_id, points)
        )
        if cur.rowcount == 0:
            return {"status": 409, "error": "not enough points"}
        await conn.execute("UPDATE accounts SET points = points + %s WHERE user_id = %s", (points, to_user))
        await conn.execute(
            "INSERT INTO gifts (from_user, to_user, points) VALUES (%s, %s, %s)", (user_id, to_user, points)
        )
        await served(conn, user_id, request)
    return {"status": 201}


async def signed_in(conn, request):
    """Who this is, by the cookie and by nothing else."""
    token = request["cookies"].get("__Host-session", "")
    cur = await conn.execute("SELECT user_id FROM sessions WHERE token_hash = %s", (digest(token),))
    row = await cur.fetchone()
    return row[0] if row else None


async def served(conn, user_id, request):
    await conn.execute("INSERT INTO served_calls (user_id, ip) VALUES (%s, %s)", (user_id, request["ip"]))


def is_json(request):
    """No form of another site can send this type; a script of another site has to ask first."""
    return request["headers"].get("content-type", "").partition(";")[0] == "application/json"


def digest(token):
    return hashlib.sha256(token.encode()).hexdigest()
