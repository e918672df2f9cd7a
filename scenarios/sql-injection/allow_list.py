"""Invoices: a request becomes typed values at the door, and each search is a statement written down beforehand."""

from dataclasses import dataclass
from enum import Enum

from psycopg.rows import dict_row


class Sort(Enum):
    ID = "id"
    TITLE = "title"
    AMOUNT = "amount_cents"


# Three texts, all of them in the code review. No text is put together while the program runs.
STATEMENTS = {
    Sort.ID: "SELECT id, tenant_id, title, amount_cents FROM invoices"
    " WHERE tenant_id = %s AND title LIKE %s ORDER BY id LIMIT 20",
    Sort.TITLE: "SELECT id, tenant_id, title, amount_cents FROM invoices"
    " WHERE tenant_id = %s AND title LIKE %s ORDER BY title, id LIMIT 20",
    Sort.AMOUNT: "SELECT id, tenant_id, title, amount_cents FROM invoices"
    " WHERE tenant_id = %s AND title LIKE %s ORDER BY amount_cents DESC, id LIMIT 20",
}
LONGEST_TEXT = 60


@dataclass(frozen=True)
class Search:
    tenant_id: int
    text: str
    sort: Sort

    @classmethod
    def of(cls, request):
        """Raises ValueError for what is no search."""
        text = request["q"].strip()
        if len(text) > LONGEST_TEXT:
            raise ValueError(f"q is longer than {LONGEST_TEXT} characters")
        return cls(int(request["tenant_id"]), text, Sort(request.get("sort", "id")))


async def search(conn, request):
    try:
        wanted = Search.of(request)
    except ValueError as error:
        return {"status": 400, "error": str(error)}

    cur = conn.cursor(row_factory=dict_row)
    await cur.execute(STATEMENTS[wanted.sort], (wanted.tenant_id, f"%{literal(wanted.text)}%"))
    invoices = await cur.fetchall()

    await log_access(conn, wanted.tenant_id, invoices)
    return {"status": 200, "invoices": invoices}


def literal(text):
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


async def log_access(conn, tenant_id, invoices):
    for invoice in invoices:
        await conn.execute(
            "INSERT INTO access_log (viewer_tenant_id, invoice_id, owner_tenant_id) VALUES (%s, %s, %s)",
            (tenant_id, invoice["id"], invoice["tenant_id"]),
        )
