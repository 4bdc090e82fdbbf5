-- The texts cannot be had back from the digests, so the answers go: a repeat is carried out again.
DELETE FROM idempotency_keys;
ALTER TABLE idempotency_keys
    DROP CONSTRAINT idempotency_keys_pkey,
    DROP COLUMN digest,
    DROP COLUMN answer,
    ADD COLUMN key_id uuid NOT NULL,
    ADD COLUMN operation text NOT NULL,
    ADD COLUMN key text NOT NULL,
    ADD COLUMN location text,
    ADD COLUMN etag text,
    ADD COLUMN body bytea,
    ADD COLUMN body_lz4 bytea,
    ALTER COLUMN body_lz4 SET STORAGE EXTERNAL,
    ALTER COLUMN size SET DEFAULT 0,
    ADD CHECK (num_nonnulls(body, body_lz4) = 1),
    ADD PRIMARY KEY (organization_id, key_id, operation, key);

COMMENT ON COLUMN idempotency_keys.key_id IS 'The API key that the request was made with.';
COMMENT ON COLUMN idempotency_keys.operation IS 'Method and path.';
COMMENT ON COLUMN idempotency_keys.key IS 'The Idempotency-Key, without quotes.';
COMMENT ON COLUMN idempotency_keys.location IS 'Its Location header.';
COMMENT ON COLUMN idempotency_keys.etag IS 'Its ETag header.';
COMMENT ON COLUMN idempotency_keys.body IS 'The answer''s body, byte for byte; null where it is kept compressed.';
COMMENT ON COLUMN idempotency_keys.body_lz4 IS 'The body as a block of LZ4 behind its size in 4 bytes, the least first; null where it is kept as it is.';
COMMENT ON COLUMN idempotency_keys.size IS 'The bytes of operation, key, location, etag and the body as it is kept.';
