-- An idempotency key means something to the API key that it was sent with, and to no other. Which one that was, older rows do
-- not say, so they go: a repeat of a request from before this migration is carried out again.

DROP TABLE idempotency_keys;

CREATE TABLE idempotency_keys (
    organization_id uuid        NOT NULL REFERENCES organizations (id),
    key_id          uuid        NOT NULL,
    operation       text        NOT NULL,
    key             text        NOT NULL,
    fingerprint     bytea       NOT NULL CHECK (length(fingerprint) = 32),
    status          integer     NOT NULL CHECK (status BETWEEN 200 AND 299),
    location        text,
    etag            text,
    body            bytea       NOT NULL,
    expires_at      timestamptz NOT NULL,
    PRIMARY KEY (organization_id, key_id, operation, key)
);

-- For the sweeper, which works across organizations.
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);

COMMENT ON TABLE idempotency_keys IS 'Answers kept for repeats, written in the transaction that they answer.';
COMMENT ON COLUMN idempotency_keys.organization_id IS 'The organization it belongs to.';
COMMENT ON COLUMN idempotency_keys.key_id IS 'The API key that the request was made with.';
COMMENT ON COLUMN idempotency_keys.operation IS 'Method and path.';
COMMENT ON COLUMN idempotency_keys.key IS 'The Idempotency-Key, without quotes.';
COMMENT ON COLUMN idempotency_keys.fingerprint IS 'SHA-256 of the body that was answered.';
COMMENT ON COLUMN idempotency_keys.status IS 'The HTTP status of the answer.';
COMMENT ON COLUMN idempotency_keys.location IS 'Its Location header.';
COMMENT ON COLUMN idempotency_keys.etag IS 'Its ETag header.';
COMMENT ON COLUMN idempotency_keys.body IS 'The answer''s body, byte for byte.';
COMMENT ON COLUMN idempotency_keys.expires_at IS 'The first moment at which the key is new again.';
