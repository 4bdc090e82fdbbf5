-- The other half cannot be had back, so the answers go.
DROP TABLE idempotency_keys;
CREATE TABLE idempotency_keys (
    organization_id BLOB    NOT NULL REFERENCES organizations (id),
    digest          BLOB    NOT NULL CHECK (length(digest) = 16),
    fingerprint     BLOB    NOT NULL CHECK (length(fingerprint) = 32),
    status          INTEGER NOT NULL CHECK (status BETWEEN 200 AND 299),
    answer          BLOB    NOT NULL,
    expires_at      INTEGER NOT NULL,
    size            INTEGER NOT NULL,
    PRIMARY KEY (organization_id, digest)
) STRICT;

-- For the sweeper, which works across organizations, and for adding up.
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at, size);
