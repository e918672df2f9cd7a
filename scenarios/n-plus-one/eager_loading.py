"""Back office: what an ORM does when it is told to load a relation eagerly (select-in loading)."""

from dataclasses import dataclass

from psycopg.rows import dict_row

# An ORM splits long key lists, so that no single statement grows without bound.
KEYS_PER_STATEMENT = 500


@dataclass(frozen=True)
class BelongsTo:
    """Each row holds the key of one row of another table."""

    name: str
    key: str
    select: str


ORDER_CUSTOMER = BelongsTo(
    name="customer",
    key="customer_id",
    select="SELECT id, name, email FROM customers WHERE id = ANY(%s)",
)


async def load(conn, rows, relation):
    """Puts the related row into every row, with one statement for each KEYS_PER_STATEMENT distinct keys."""
    keys = sorted({row[relation.key] for row in rows})
    found = {}
    for first in range(0, len(keys), KEYS_PER_STATEMENT):
        cur = conn.cursor(row_factory=dict_row)
        await cur.execute(relation.select, (keys[first : first + KEYS_PER_STATEMENT],))
        async for related in cur:
            found[related["id"]] = related
    for row in rows:
        # Two orders of one customer share one object: an ORM calls this its identity map.
        row[relation.name] = found[row[relation.key]]


async def list_orders(conn, request):
    cur = conn.cursor(row_factory=dict_row)
    await cur.execute(
        "SELECT id, customer_id, status, amount_cents FROM orders ORDER BY id DESC LIMIT %s",
        (request["page_size"],),
    )
    orders = await cur.fetchall()
    await load(conn, orders, ORDER_CUSTOMER)

    rows = []
    for order in orders:
        rows.append(
            {
                "id": order["id"],
                "status": order["status"],
                "amount_cents": order["amount_cents"],
                "customer": order["customer"]["name"],
                "email": order["customer"]["email"],
            }
        )
    return {"status": 200, "orders": rows}
