-- What is compressed nobody would be able to read, so it goes: a repeat of such a request is carried out again.
CREATE TABLE idempotency_keys_without_size (
    organization_id BLOB    NOT NULL REFERENCES organizations (id),
    key_id          BLOB    NOT NULL CHECK (length(key_id) = 16),
    operation       TEXT    NOT NULL,
    key             TEXT    NOT NULL,
    fingerprint     BLOB    NOT NULL CHECK (length(fingerprint) = 32),
    status          INTEGER NOT NULL CHECK (status BETWEEN 200 AND 299),
    location        TEXT,
    etag            TEXT,
    body            BLOB    NOT NULL,
    expires_at      INTEGER NOT NULL,
    PRIMARY KEY (organization_id, key_id, operation, key)
) STRICT;

INSERT INTO idempotency_keys_without_size
    SELECT organization_id, key_id, operation, key, fingerprint, status, location, etag, body, expires_at
    FROM idempotency_keys WHERE body IS NOT NULL;
DROP TABLE idempotency_keys;
ALTER TABLE idempotency_keys_without_size RENAME TO idempotency_keys;

-- For the sweeper, which works across organizations.
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);
