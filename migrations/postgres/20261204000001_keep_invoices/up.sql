-- An entry keeps the invoice that it is on and the reason of its last action, which only the history had. An invoice is found by
-- a digest of its text, as references are, where there is one.

ALTER TABLE time_entries
    ADD COLUMN reason text,
    ADD COLUMN invoice_ref text,
    ADD COLUMN invoice_digest bytea;

UPDATE time_entries SET reason = h.reason
    FROM (
        SELECT DISTINCT ON (organization_id, time_entry_id) organization_id, time_entry_id, reason FROM time_entry_history
        WHERE event NOT IN ('log', 'edit', 'delete', 'move') ORDER BY organization_id, time_entry_id, version DESC
    ) AS h
    WHERE h.reason IS NOT NULL AND h.organization_id = time_entries.organization_id AND h.time_entry_id = time_entries.id;
UPDATE time_entries SET invoice_ref = h.invoice_ref, invoice_digest = external_digest(h.invoice_ref)
    FROM (
        SELECT DISTINCT ON (organization_id, time_entry_id) organization_id, time_entry_id, invoice_ref FROM time_entry_history
        WHERE event = 'invoice' AND invoice_ref IS NOT NULL ORDER BY organization_id, time_entry_id, version DESC
    ) AS h
    WHERE time_entries.status = 'invoiced'
        AND h.organization_id = time_entries.organization_id AND h.time_entry_id = time_entries.id;
ALTER TABLE time_entries
    ADD CHECK ((invoice_digest IS NULL) = (invoice_ref IS NULL)),
    ADD CHECK (length(invoice_digest) = 16);

CREATE INDEX time_entries_by_invoice ON time_entries (organization_id, invoice_digest, work_date, id)
    WHERE invoice_digest IS NOT NULL;

COMMENT ON COLUMN time_entries.reason IS 'The reason that was given with the last action, if one was.';
COMMENT ON COLUMN time_entries.invoice_ref IS 'The invoice that the entry is on, where its status is invoiced.';
COMMENT ON COLUMN time_entries.invoice_digest IS 'What the invoice is found by: external_digest(invoice_ref).';
