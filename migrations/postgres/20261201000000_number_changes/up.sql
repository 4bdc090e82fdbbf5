-- Changes are numbered within their organization, and read in the order of their numbers. What is there is numbered in the order
-- in which it happened; a clock that was set back does not put a version of an entry before an earlier one.

CREATE TABLE time_entry_history_with_numbers (
    seq bigint NOT NULL,
    LIKE time_entry_history INCLUDING COMMENTS,
    CONSTRAINT time_entry_history_seq_check CHECK (seq >= 1)
);

INSERT INTO time_entry_history_with_numbers
    SELECT row_number() OVER (PARTITION BY organization_id ORDER BY latest, time_entry_id, version) AS seq,
        organization_id, time_entry_id, project_id, version, event, at, key_id, user_id, reason, invoice_ref, from_status,
        to_status, changes
    FROM (
        SELECT *, max(at) OVER (PARTITION BY organization_id, time_entry_id ORDER BY version) AS latest FROM time_entry_history
    ) AS history
    ORDER BY organization_id, seq;
DROP TABLE time_entry_history;
ALTER TABLE time_entry_history_with_numbers RENAME TO time_entry_history;
ALTER TABLE time_entry_history ADD PRIMARY KEY (organization_id, seq);

-- The history of one entry.
CREATE UNIQUE INDEX time_entry_history_by_entry ON time_entry_history (organization_id, time_entry_id, version);

ALTER TABLE organizations ADD COLUMN feed_epoch uuid NOT NULL DEFAULT gen_random_uuid();

COMMENT ON TABLE time_entry_history IS 'Every change of every entry, also of those that were deleted.';
COMMENT ON COLUMN time_entry_history.seq IS 'Counts the changes of the organization from 1, without a gap, in the order of commits.';
COMMENT ON COLUMN organizations.feed_epoch IS 'Names the life of the feed. Made anew where a backup is put back, after which the same numbers may be of other changes.';
