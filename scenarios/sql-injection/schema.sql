CREATE TABLE tenants (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL
);

CREATE TABLE users (
    id        INTEGER PRIMARY KEY,
    tenant_id INTEGER NOT NULL REFERENCES tenants (id),
    email     TEXT NOT NULL,
    role      TEXT NOT NULL DEFAULT 'member'
);

CREATE TABLE invoices (
    id           INTEGER PRIMARY KEY,
    tenant_id    INTEGER NOT NULL REFERENCES tenants (id),
    title        TEXT NOT NULL,
    amount_cents INTEGER NOT NULL,
    paid         BOOLEAN NOT NULL DEFAULT FALSE
);

CREATE INDEX invoices_tenant_id ON invoices (tenant_id);

-- Who was shown which invoice. The auditors ask for it.
CREATE TABLE access_log (
    id               SERIAL PRIMARY KEY,
    viewer_tenant_id INTEGER NOT NULL,
    invoice_id       INTEGER NOT NULL,
    owner_tenant_id  INTEGER NOT NULL
);
