-- Large answers are kept compressed, in a column of their own: a program that does not know it finds no body, rather than one
-- that it would take for the answer. What answers take is a column too, and in the index, so that it can be added up at any
-- time without reading them.

ALTER TABLE idempotency_keys
    ALTER COLUMN body DROP NOT NULL,
    ADD COLUMN body_lz4 bytea,
    ADD COLUMN size integer NOT NULL DEFAULT 0;
-- The server need not try to compress it once more.
ALTER TABLE idempotency_keys ALTER COLUMN body_lz4 SET STORAGE EXTERNAL;
DROP INDEX idempotency_keys_by_expiry;
UPDATE idempotency_keys SET size = octet_length(operation) + octet_length(key) + coalesce(octet_length(location), 0)
    + coalesce(octet_length(etag), 0) + octet_length(body);
ALTER TABLE idempotency_keys ADD CHECK (num_nonnulls(body, body_lz4) = 1);

-- For the sweeper, which works across organizations, and for adding up.
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at) INCLUDE (size);

COMMENT ON COLUMN idempotency_keys.body IS 'The answer''s body, byte for byte; null where it is kept compressed.';
COMMENT ON COLUMN idempotency_keys.body_lz4 IS 'The body as a block of LZ4 behind its size in 4 bytes, the least first; null where it is kept as it is.';
COMMENT ON COLUMN idempotency_keys.size IS 'The bytes of operation, key, location, etag and the body as it is kept.';
