-- The texts cannot be had back from the digests, so the answers go: a repeat is carried out again.
DROP TABLE idempotency_keys;

CREATE TABLE idempotency_keys (
    organization_id BLOB    NOT NULL REFERENCES organizations (id),
    key_id          BLOB    NOT NULL CHECK (length(key_id) = 16),
    operation       TEXT    NOT NULL,
    key             TEXT    NOT NULL,
    fingerprint     BLOB    NOT NULL CHECK (length(fingerprint) = 32),
    status          INTEGER NOT NULL CHECK (status BETWEEN 200 AND 299),
    location        TEXT,
    etag            TEXT,
    body            BLOB,
    expires_at      INTEGER NOT NULL,
    body_lz4        BLOB,
    size            INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (organization_id, key_id, operation, key),
    CHECK ((body IS NULL) <> (body_lz4 IS NULL))
) STRICT;

-- For the sweeper, which works across organizations, and for adding up.
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at, size);
