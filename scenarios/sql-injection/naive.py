"""Invoices: search with free text and a sort order."""

from psycopg.rows import dict_row


async def search(conn, request):
    """Find the tenant's invoices whose title contains the search text."""
    tenant_id = request["tenant_id"]
    text = request["q"].strip()
    sort = request.get("sort", "id")

    # Build the query step by step.
    query = f"SELECT id, tenant_id, title, amount_cents FROM invoices WHERE tenant_id = {tenant_id}"
    if text:
        query += f" AND title LIKE '%{text}%'"
    query += f" ORDER BY {sort} LIMIT 20"

    cur = conn.cursor(row_factory=dict_row)
    await cur.execute(query)
    invoices = await cur.fetchall()

    await log_access(conn, tenant_id, invoices)
    return {"status": 200, "invoices": invoices}


async def log_access(conn, tenant_id, invoices):
    """Write down who was shown what."""
    for invoice in invoices:
        await conn.execute(
            "INSERT INTO access_log (viewer_tenant_id, invoice_id, owner_tenant_id) VALUES (%s, %s, %s)",
            (tenant_id, invoice["id"], invoice["tenant_id"]),
        )
