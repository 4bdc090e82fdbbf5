DROP INDEX time_entries_by_invoice;
ALTER TABLE time_entries DROP COLUMN invoice_digest;
ALTER TABLE time_entries DROP COLUMN invoice_ref;
ALTER TABLE time_entries DROP COLUMN reason;
