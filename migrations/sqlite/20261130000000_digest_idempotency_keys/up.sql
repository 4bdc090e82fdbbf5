-- A stored answer is found by a digest of the API key, the operation and the idempotency key, and not by their texts, which
-- took more room than the answer. The answer itself is one value, whose first byte says how it is written: p as it is, z with a
-- body compressed by itself. The function is the program's: SQLite has none of its own.

CREATE TABLE idempotency_keys_with_digest (
    organization_id BLOB    NOT NULL REFERENCES organizations (id),
    digest          BLOB    NOT NULL CHECK (length(digest) = 16),
    fingerprint     BLOB    NOT NULL CHECK (length(fingerprint) = 32),
    status          INTEGER NOT NULL CHECK (status BETWEEN 200 AND 299),
    answer          BLOB    NOT NULL,
    expires_at      INTEGER NOT NULL,
    size            INTEGER NOT NULL,
    PRIMARY KEY (organization_id, digest)
) STRICT;

INSERT INTO idempotency_keys_with_digest
    SELECT organization_id, idempotency_digest(key_id, operation, key), fingerprint, status, answer, expires_at,
        16 + length(answer)
    FROM (
        SELECT *, CAST(
            iif(body IS NULL, 'z', 'p') || ifnull(location, '') || char(10) || ifnull(etag, '') || char(10)
            || ifnull(body, body_lz4) AS BLOB
        ) AS answer
        FROM idempotency_keys ORDER BY rowid
    );
DROP TABLE idempotency_keys;
ALTER TABLE idempotency_keys_with_digest RENAME TO idempotency_keys;

-- For the sweeper, which works across organizations, and for adding up.
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at, size);
