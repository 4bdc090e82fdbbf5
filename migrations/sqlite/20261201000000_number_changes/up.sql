-- Changes are numbered within their organization, and read in the order of their numbers. What is there is numbered in the order
-- in which it happened; a clock that was set back does not put a version of an entry before an earlier one.

CREATE TABLE time_entry_history_with_numbers (
    organization_id BLOB    NOT NULL,
    seq             INTEGER NOT NULL CHECK (seq >= 1),
    time_entry_id   BLOB    NOT NULL,
    project_id      BLOB    NOT NULL,
    version         INTEGER NOT NULL,
    event           TEXT    NOT NULL,
    at              INTEGER NOT NULL,
    key_id          BLOB    NOT NULL,
    user_id         BLOB,
    reason          TEXT,
    invoice_ref     TEXT,
    from_status     TEXT,
    to_status       TEXT,
    changes         TEXT    NOT NULL CHECK (json_valid(changes)),
    PRIMARY KEY (organization_id, seq)
) STRICT, WITHOUT ROWID;

INSERT INTO time_entry_history_with_numbers
    SELECT organization_id, row_number() OVER (PARTITION BY organization_id ORDER BY latest, time_entry_id, version) AS seq,
        time_entry_id, project_id, version, event, at, key_id, user_id, reason, invoice_ref, from_status, to_status, changes
    FROM (
        SELECT *, max(at) OVER (PARTITION BY organization_id, time_entry_id ORDER BY version) AS latest FROM time_entry_history
    )
    ORDER BY organization_id, seq;
DROP TABLE time_entry_history;
ALTER TABLE time_entry_history_with_numbers RENAME TO time_entry_history;

-- The history of one entry.
CREATE UNIQUE INDEX time_entry_history_by_entry ON time_entry_history (organization_id, time_entry_id, version);

-- Names the life of an organization's feed. It is made anew where a backup is put back, after which the same numbers may be of
-- other changes.
ALTER TABLE organizations
    ADD COLUMN feed_epoch BLOB NOT NULL DEFAULT x'00000000000000000000000000000000' CHECK (length(feed_epoch) = 16);
UPDATE organizations SET feed_epoch = randomblob(16);
