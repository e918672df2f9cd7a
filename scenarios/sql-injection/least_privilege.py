"""Invoices: parameters, and beneath them a connection that can do no more than the search needs."""

from psycopg.errors import ReadOnlySqlTransaction
from psycopg.rows import dict_row

SORT_ORDERS = {
    "id": "id",
    "title": "title, id",
    "amount_cents": "amount_cents DESC, id",
}


async def search(pool, request):
    tenant_id = request["tenant_id"]
    text = request["q"].strip()
    order_by = SORT_ORDERS.get(request.get("sort", "id"))
    if order_by is None:
        return {"status": 400, "error": f"sort must be one of: {', '.join(SORT_ORDERS)}"}

    try:
        invoices = await read_invoices(pool, tenant_id, text, order_by)
    except ReadOnlySqlTransaction:
        # No search writes. Whatever this was, somebody has to look at it.
        return {"status": 400, "error": "this is no search"}

    await log_access(pool, tenant_id, invoices)
    return {"status": 200, "invoices": invoices}


async def read_invoices(pool, tenant_id, text, order_by):
    async with pool.connection() as conn:
        # If a hole is ever found in the statement below, it can read and not write. In production a
        # role of its own that may SELECT these two tables and nothing else says the same for good.
        await conn.set_read_only(True)
        try:
            cur = conn.cursor(row_factory=dict_row)
            await cur.execute(
                "SELECT id, tenant_id, title, amount_cents FROM invoices"
                f" WHERE tenant_id = %s AND title LIKE %s ORDER BY {order_by} LIMIT 20",
                (tenant_id, f"%{literal(text)}%"),
            )
            invoices = await cur.fetchall()
        finally:
            await conn.rollback()
            await conn.set_read_only(None)
    # The statement's text is right or it is not; what it gave back can be looked at as well.
    return [invoice for invoice in invoices if invoice["tenant_id"] == tenant_id]


def literal(text):
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


async def log_access(pool, tenant_id, invoices):
    async with pool.connection() as conn:
        for invoice in invoices:
            await conn.execute(
                "INSERT INTO access_log (viewer_tenant_id, invoice_id, owner_tenant_id) VALUES (%s, %s, %s)",
                (tenant_id, invoice["id"], invoice["tenant_id"]),
            )
