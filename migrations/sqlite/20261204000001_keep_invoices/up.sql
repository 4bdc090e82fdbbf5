-- An entry keeps the invoice that it is on and the reason of its last action, which only the history had. An invoice is found by
-- a digest of its text, as references are, where there is one.

ALTER TABLE time_entries ADD COLUMN reason TEXT;
ALTER TABLE time_entries ADD COLUMN invoice_ref TEXT;
ALTER TABLE time_entries ADD COLUMN invoice_digest BLOB
    CHECK ((invoice_digest IS NULL) = (invoice_ref IS NULL) AND ifnull(length(invoice_digest), 16) = 16);

UPDATE time_entries SET reason = h.reason
    FROM (
        SELECT organization_id, time_entry_id, reason, max(version) FROM time_entry_history
        WHERE event NOT IN ('log', 'edit', 'delete', 'move') GROUP BY organization_id, time_entry_id
    ) AS h
    WHERE h.reason IS NOT NULL AND h.organization_id = time_entries.organization_id AND h.time_entry_id = time_entries.id;
UPDATE time_entries SET invoice_ref = h.invoice_ref, invoice_digest = external_digest(h.invoice_ref)
    FROM (
        SELECT organization_id, time_entry_id, invoice_ref, max(version) FROM time_entry_history
        WHERE event = 'invoice' AND invoice_ref IS NOT NULL GROUP BY organization_id, time_entry_id
    ) AS h
    WHERE time_entries.status = 'invoiced'
        AND h.organization_id = time_entries.organization_id AND h.time_entry_id = time_entries.id;

CREATE INDEX time_entries_by_invoice ON time_entries (organization_id, invoice_digest, work_date, id)
    WHERE invoice_digest IS NOT NULL;
