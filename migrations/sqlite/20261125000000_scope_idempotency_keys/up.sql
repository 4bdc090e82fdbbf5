-- An idempotency key means something to the API key that it was sent with, and to no other. Which one that was, older rows do
-- not say, so they go: a repeat of a request from before this migration is carried out again.

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
    body            BLOB    NOT NULL,
    expires_at      INTEGER NOT NULL,
    PRIMARY KEY (organization_id, key_id, operation, key)
) STRICT;

-- For the sweeper, which works across organizations.
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);
