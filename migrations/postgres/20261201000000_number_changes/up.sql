-- Changes are numbered within their organization, and read in the order of their numbers. What is there is numbered in the order
-- in which it happened; a clock that was set back does not put a version of an entry before an earlier one.

CREATE TABLE time_entry_history_with_numbers (
    organization_id uuid        NOT NULL,
    seq             bigint      NOT NULL CHECK (seq >= 1),
    time_entry_id   uuid        NOT NULL,
    project_id      uuid        NOT NULL,
    version         bigint      NOT NULL,
    event           text        NOT NULL,
    at              timestamptz NOT NULL,
    key_id          uuid        NOT NULL,
    user_id         uuid,
    reason          text,
    invoice_ref     text,
    from_status     text,
    to_status       text,
    changes         jsonb       NOT NULL
);

INSERT INTO time_entry_history_with_numbers
    SELECT organization_id, row_number() OVER (PARTITION BY organization_id ORDER BY latest, time_entry_id, version) AS seq,
        time_entry_id, project_id, version, event, at, key_id, user_id, reason, invoice_ref, from_status, to_status, changes
    FROM (
        SELECT *, max(at) OVER (PARTITION BY organization_id, time_entry_id ORDER BY version) AS latest FROM time_entry_history
    ) AS history
    ORDER BY organization_id, seq;
DROP TABLE time_entry_history;
ALTER TABLE time_entry_history_with_numbers RENAME TO time_entry_history;
ALTER TABLE time_entry_history
    RENAME CONSTRAINT time_entry_history_with_numbers_seq_check TO time_entry_history_seq_check;
ALTER TABLE time_entry_history ADD PRIMARY KEY (organization_id, seq);

-- The history of one entry.
CREATE UNIQUE INDEX time_entry_history_by_entry ON time_entry_history (organization_id, time_entry_id, version);

ALTER TABLE organizations ADD COLUMN feed_epoch uuid NOT NULL DEFAULT gen_random_uuid();

COMMENT ON COLUMN organizations.feed_epoch IS 'Names the life of the feed. Made anew where a backup is put back, after which the same numbers may be of other changes.';
COMMENT ON TABLE time_entry_history IS 'Every change of every entry, also of those that were deleted.';
COMMENT ON COLUMN time_entry_history.organization_id IS 'The organization it belongs to.';
COMMENT ON COLUMN time_entry_history.seq IS 'Counts the changes of the organization from 1, without a gap, in the order of commits.';
COMMENT ON COLUMN time_entry_history.time_entry_id IS 'The entry, which may be gone.';
COMMENT ON COLUMN time_entry_history.project_id IS 'The project of the entry, which may be gone.';
COMMENT ON COLUMN time_entry_history.version IS 'The version that the change made.';
COMMENT ON COLUMN time_entry_history.event IS 'log, edit, delete, or an action.';
COMMENT ON COLUMN time_entry_history.at IS 'When.';
COMMENT ON COLUMN time_entry_history.key_id IS 'With which API key.';
COMMENT ON COLUMN time_entry_history.user_id IS 'The user the key was bound to, if any.';
COMMENT ON COLUMN time_entry_history.reason IS 'Why, where that was said.';
COMMENT ON COLUMN time_entry_history.invoice_ref IS 'On which invoice, where one was named.';
COMMENT ON COLUMN time_entry_history.from_status IS 'The status before; null before the first change.';
COMMENT ON COLUMN time_entry_history.to_status IS 'The status after; null where the entry was deleted.';
COMMENT ON COLUMN time_entry_history.changes IS 'The members that changed: [{"field", "old", "new"}].';
