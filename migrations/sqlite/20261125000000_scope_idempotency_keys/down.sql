DROP TABLE idempotency_keys;

-- Answers kept for repeats. The bound user is the nil UUID where the caller's key has none, so that it can be part of the key.
-- A null project means that the answer may be about several.

CREATE TABLE idempotency_keys (
    organization_id BLOB    NOT NULL REFERENCES organizations (id),
    bound_user      BLOB    NOT NULL CHECK (length(bound_user) = 16),
    operation       TEXT    NOT NULL,
    key             TEXT    NOT NULL,
    fingerprint     BLOB    NOT NULL CHECK (length(fingerprint) = 32),
    project_id      BLOB,
    status          INTEGER NOT NULL CHECK (status BETWEEN 200 AND 299),
    location        TEXT,
    etag            TEXT,
    body            BLOB    NOT NULL,
    expires_at      INTEGER NOT NULL,
    PRIMARY KEY (organization_id, bound_user, operation, key)
) STRICT;

-- For the sweeper, which works across organizations.
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);
