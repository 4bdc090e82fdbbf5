-- Time entries, and the history of their changes. Whether an entry is invoiced is its status and nothing else.

CREATE TABLE time_entries (
    organization_id   BLOB    NOT NULL,
    id                BLOB    NOT NULL CHECK (length(id) = 16),
    project_id        BLOB    NOT NULL,
    user_id           BLOB    NOT NULL,
    entry_id          BLOB,
    release_id        BLOB,
    work_date         TEXT    NOT NULL CHECK (length(work_date) = 10),
    minutes           INTEGER NOT NULL CHECK (minutes BETWEEN 1 AND 1440),
    description       TEXT,
    billable          INTEGER NOT NULL CHECK (billable IN (0, 1)),
    source            TEXT    NOT NULL CHECK (source IN ('api', 'ui', 'import')),
    status            TEXT    NOT NULL
        CHECK (status IN ('draft', 'submitted', 'approved', 'rejected', 'locked', 'invoiced')),
    external_provider TEXT,
    external_type     TEXT,
    external_id       TEXT,
    version           INTEGER NOT NULL CHECK (version >= 1),
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, project_id) REFERENCES projects (organization_id, id),
    FOREIGN KEY (organization_id, user_id) REFERENCES users (organization_id, id),
    FOREIGN KEY (organization_id, project_id, entry_id) REFERENCES project_entries (organization_id, project_id, id),
    FOREIGN KEY (organization_id, project_id, release_id) REFERENCES project_releases (organization_id, project_id, id),
    CHECK ((external_provider IS NULL) = (external_type IS NULL)),
    CHECK ((external_provider IS NULL) = (external_id IS NULL))
) STRICT;

-- A reference names at most one live entry of the organization.
CREATE UNIQUE INDEX time_entries_by_external_ref
    ON time_entries (organization_id, external_provider, external_type, external_id)
    WHERE external_provider IS NOT NULL;

-- No foreign key to time_entries: the history outlives the entry.
CREATE TABLE time_entry_history (
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
