ALTER TABLE organizations DROP COLUMN feed_epoch;

CREATE TABLE time_entry_history_without_numbers (
    organization_id BLOB    NOT NULL,
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
    PRIMARY KEY (organization_id, time_entry_id, version)
) STRICT, WITHOUT ROWID;

INSERT INTO time_entry_history_without_numbers
    SELECT organization_id, time_entry_id, project_id, version, event, at, key_id, user_id, reason, invoice_ref, from_status,
        to_status, changes
    FROM time_entry_history ORDER BY organization_id, time_entry_id, version;
DROP TABLE time_entry_history;
ALTER TABLE time_entry_history_without_numbers RENAME TO time_entry_history;
