-- Large answers are kept compressed, in a column of their own: a program that does not know it finds no body, rather than one
-- that it would take for the answer. What answers take is a column too, and in the index, so that it can be added up at any
-- time without reading them. A column that must not be null cannot be made one that may be, so the table is made anew.

CREATE TABLE idempotency_keys_with_size (
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

INSERT INTO idempotency_keys_with_size
    SELECT organization_id, key_id, operation, key, fingerprint, status, location, etag, body, expires_at, NULL,
        octet_length(operation) + octet_length(key) + ifnull(octet_length(location), 0) + ifnull(octet_length(etag), 0)
        + octet_length(body)
    FROM idempotency_keys ORDER BY rowid;
DROP TABLE idempotency_keys;
ALTER TABLE idempotency_keys_with_size RENAME TO idempotency_keys;

-- For the sweeper, which works across organizations, and for adding up.
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at, size);
