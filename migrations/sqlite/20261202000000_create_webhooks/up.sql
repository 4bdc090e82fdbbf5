-- Receivers that changes are delivered to. How far each is stands with it; there is no row for each delivery. The lease tells who
-- delivers; its time is that of the machine's clock.

CREATE TABLE webhooks (
    organization_id   BLOB    NOT NULL REFERENCES organizations (id),
    id                BLOB    NOT NULL CHECK (length(id) = 16),
    version           INTEGER NOT NULL CHECK (version >= 1),
    destination_url   TEXT    NOT NULL,
    event_names       TEXT    NOT NULL,
    description       TEXT,
    project_id        BLOB,
    enabled           INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    secret            BLOB    NOT NULL CHECK (length(secret) = 32),
    former_secret     BLOB    CHECK (length(former_secret) = 32),
    former_until      INTEGER,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    delivered_through INTEGER NOT NULL CHECK (delivered_through >= 0),
    misses            INTEGER NOT NULL,
    refusals          INTEGER NOT NULL,
    away_since        INTEGER,
    next_attempt_at   INTEGER,
    disabled_reason   TEXT,
    last_error        TEXT,
    last_error_at     INTEGER,
    lease_holder      BLOB,
    lease_until       INTEGER,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, project_id) REFERENCES projects (organization_id, id),
    CHECK ((former_secret IS NULL) = (former_until IS NULL)),
    CHECK ((last_error IS NULL) = (last_error_at IS NULL)),
    CHECK ((lease_holder IS NULL) = (lease_until IS NULL))
) STRICT, WITHOUT ROWID;

-- Events that a receiver refused until they were put aside.

CREATE TABLE webhook_failures (
    organization_id BLOB    NOT NULL,
    webhook_id      BLOB    NOT NULL,
    seq             INTEGER NOT NULL,
    event           TEXT    NOT NULL,
    time_entry_id   BLOB    NOT NULL,
    error           TEXT    NOT NULL,
    failed_at       INTEGER NOT NULL,
    PRIMARY KEY (organization_id, webhook_id, seq),
    FOREIGN KEY (organization_id, webhook_id) REFERENCES webhooks (organization_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
