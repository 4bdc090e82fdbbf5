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

-- Lists come in three orders, of a project and of the whole organization, and by day of a user. Each index ends with the id,
-- which breaks ties, so that a page is read from where it begins. What is added up is found by its days.
CREATE INDEX time_entries_by_work_date ON time_entries (organization_id, work_date, id);
CREATE INDEX time_entries_by_created_at ON time_entries (organization_id, created_at, id);
CREATE INDEX time_entries_by_updated_at ON time_entries (organization_id, updated_at, id);
CREATE INDEX time_entries_by_project_and_work_date ON time_entries (organization_id, project_id, work_date, id);
CREATE INDEX time_entries_by_project_and_created_at ON time_entries (organization_id, project_id, created_at, id);
CREATE INDEX time_entries_by_project_and_updated_at ON time_entries (organization_id, project_id, updated_at, id);
CREATE INDEX time_entries_by_user_and_work_date ON time_entries (organization_id, user_id, work_date, id);

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

-- What the planner is to know of each index: how many rows it has, and how many are alike in its first column, in its first
-- two, and so on. Not knowing, it takes every organization for small and looks for a project's days among everybody's.
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('time_entries', 'sqlite_autoindex_time_entries_1', '5000000 1000000 1'),
    ('time_entries', 'time_entries_by_external_ref', '5000000 1000000 500000 500000 1'),
    ('time_entries', 'time_entries_by_work_date', '5000000 1000000 1000 1'),
    ('time_entries', 'time_entries_by_created_at', '5000000 1000000 2 1'),
    ('time_entries', 'time_entries_by_updated_at', '5000000 1000000 2 1'),
    ('time_entries', 'time_entries_by_project_and_work_date', '5000000 1000000 10000 20 1'),
    ('time_entries', 'time_entries_by_project_and_created_at', '5000000 1000000 10000 2 1'),
    ('time_entries', 'time_entries_by_project_and_updated_at', '5000000 1000000 10000 2 1'),
    ('time_entries', 'time_entries_by_user_and_work_date', '5000000 1000000 5000 5 1');
ANALYZE sqlite_schema;
