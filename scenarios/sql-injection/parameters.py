"""Invoices: values travel beside the statement, never inside it. What cannot be a value comes from a list."""

from psycopg.rows import dict_row

# A column name cannot be a parameter. The request picks one of these texts; it never supplies one.
SORT_ORDERS = {
    "id": "id",
    "title": "title, id",
    "amount_cents": "amount_cents DESC, id",
}


async def search(conn, request):
    tenant_id = request["tenant_id"]
    text = request["q"].strip()
    order_by = SORT_ORDERS.get(request.get("sort", "id"))
    if order_by is None:
        return {"status": 400, "error": f"sort must be one of: {', '.join(SORT_ORDERS)}"}

    cur = conn.cursor(row_factory=dict_row)
    await cur.execute(
        "SELECT id, tenant_id, title, amount_cents FROM invoices"
        f" WHERE tenant_id = %s AND title LIKE %s ORDER BY {order_by} LIMIT 20",
        (tenant_id, f"%{literal(text)}%"),
    )
    invoices = await cur.fetchall()

    await log_access(conn, tenant_id, invoices)
    return {"status": 200, "invoices": invoices}


def literal(text):
    """For LIKE: a percent sign in the search text means a percent sign. Not a matter of safety, but of being right."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


async def log_access(conn, tenant_id, invoices):
    for invoice in invoices:
        await conn.execute(
            "INSERT INTO access_log (viewer_tenant_id, invoice_id, owner_tenant_id) VALUES (%s, %s, %s)",
            (tenant_id, invoice["id"], invoice["tenant_id"]),
        )
