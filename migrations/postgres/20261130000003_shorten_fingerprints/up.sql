-- Half of a SHA-256 tells the body of a repeat from another one as surely as anybody needs.

ALTER TABLE idempotency_keys
    DROP CONSTRAINT idempotency_keys_fingerprint_check,
    ALTER COLUMN fingerprint TYPE bytea USING substring(fingerprint FOR 16);
ALTER TABLE idempotency_keys ADD CONSTRAINT idempotency_keys_fingerprint_check CHECK (length(fingerprint) = 16);

COMMENT ON COLUMN idempotency_keys.fingerprint IS 'The first 16 bytes of SHA-256 of the body that was answered.';
