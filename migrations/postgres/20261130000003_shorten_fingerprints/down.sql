-- The other half cannot be had back, so the answers go.
DELETE FROM idempotency_keys;
ALTER TABLE idempotency_keys DROP CONSTRAINT idempotency_keys_fingerprint_check;
ALTER TABLE idempotency_keys ADD CONSTRAINT idempotency_keys_fingerprint_check CHECK (length(fingerprint) = 32);

COMMENT ON COLUMN idempotency_keys.fingerprint IS 'SHA-256 of the body that was answered.';
