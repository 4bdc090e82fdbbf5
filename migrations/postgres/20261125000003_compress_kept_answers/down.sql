-- What is compressed nobody would be able to read, so it goes: a repeat of such a request is carried out again.
DELETE FROM idempotency_keys WHERE body IS NULL;
DROP INDEX idempotency_keys_by_expiry;
ALTER TABLE idempotency_keys DROP COLUMN body_lz4, DROP COLUMN size, ALTER COLUMN body SET NOT NULL;
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);
