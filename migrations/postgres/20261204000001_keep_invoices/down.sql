DROP INDEX time_entries_by_invoice;
ALTER TABLE time_entries DROP COLUMN invoice_digest, DROP COLUMN invoice_ref, DROP COLUMN reason;
