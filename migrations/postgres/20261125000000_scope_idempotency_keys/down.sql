DROP TABLE idempotency_keys;

-- Answers kept for repeats. The bound user is the nil UUID where the caller's key has none, so that it can be part of the key.

CREATE TABLE idempotency_keys (
    organization_id uuid        NOT NULL REFERENCES organizations (id),
    bound_user      uuid        NOT NULL,
    operation       text        NOT NULL,
    key             text        NOT NULL,
    fingerprint     bytea       NOT NULL CHECK (length(fingerprint) = 32),
    project_id      uuid,
    status          integer     NOT NULL CHECK (status BETWEEN 200 AND 299),
    location        text,
    etag            text,
    body            bytea       NOT NULL,
    expires_at      timestamptz NOT NULL,
    PRIMARY KEY (organization_id, bound_user, operation, key)
);

-- For the sweeper, which works across organizations.
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);

COMMENT ON TABLE idempotency_keys IS 'Answers kept for repeats, written in the transaction that they answer.';
COMMENT ON COLUMN idempotency_keys.organization_id IS 'The organization it belongs to.';
COMMENT ON COLUMN idempotency_keys.bound_user IS 'The user the caller''s key was bound to, or the nil UUID.';
COMMENT ON COLUMN idempotency_keys.operation IS 'Method and path.';
COMMENT ON COLUMN idempotency_keys.key IS 'The Idempotency-Key, without quotes.';
COMMENT ON COLUMN idempotency_keys.fingerprint IS 'SHA-256 of the body that was answered.';
COMMENT ON COLUMN idempotency_keys.project_id IS 'The project the answer is about, where it is one: a key of another is not replayed to.';
COMMENT ON COLUMN idempotency_keys.status IS 'The HTTP status of the answer.';
COMMENT ON COLUMN idempotency_keys.location IS 'Its Location header.';
COMMENT ON COLUMN idempotency_keys.etag IS 'Its ETag header.';
COMMENT ON COLUMN idempotency_keys.body IS 'The answer''s body, byte for byte.';
COMMENT ON COLUMN idempotency_keys.expires_at IS 'The first moment at which the key is new again.';
