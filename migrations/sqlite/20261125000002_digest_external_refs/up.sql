-- A reference is found by digests of its three texts, as on PostgreSQL, where they may be longer than what an index takes. Each
-- has its own, so that the index finds whatever it found before: a provider, a type of it, an id alone. The function is the
-- program's: SQLite has none of its own. What a column must be cannot be added to a table that is there, so the table is made anew.

CREATE TABLE time_entries_with_digests (
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
    external_provider_digest BLOB
        CHECK ((external_provider_digest IS NULL) = (external_provider IS NULL) AND ifnull(length(external_provider_digest), 16) = 16),
    external_type_digest BLOB
        CHECK ((external_type_digest IS NULL) = (external_type IS NULL) AND ifnull(length(external_type_digest), 16) = 16),
    external_id_digest BLOB
        CHECK ((external_id_digest IS NULL) = (external_id IS NULL) AND ifnull(length(external_id_digest), 16) = 16),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, project_id) REFERENCES projects (organization_id, id),
    FOREIGN KEY (organization_id, user_id) REFERENCES users (organization_id, id),
    FOREIGN KEY (organization_id, project_id, entry_id) REFERENCES project_entries (organization_id, project_id, id),
    FOREIGN KEY (organization_id, project_id, release_id) REFERENCES project_releases (organization_id, project_id, id),
    CHECK ((external_provider IS NULL) = (external_type IS NULL)),
    CHECK ((external_provider IS NULL) = (external_id IS NULL))
) STRICT;

INSERT INTO time_entries_with_digests
    SELECT organization_id, id, project_id, user_id, entry_id, release_id, work_date, minutes, description, billable, source,
        status, external_provider, external_type, external_id, version, created_at, updated_at,
        CASE WHEN external_provider IS NOT NULL THEN external_digest(external_provider) END,
        CASE WHEN external_type IS NOT NULL THEN external_digest(external_type) END,
        CASE WHEN external_id IS NOT NULL THEN external_digest(external_id) END
    FROM time_entries ORDER BY rowid;
DROP TABLE time_entries;
ALTER TABLE time_entries_with_digests RENAME TO time_entries;

-- A reference names at most one live entry of the organization.
CREATE UNIQUE INDEX time_entries_by_external_ref
    ON time_entries (organization_id, external_provider_digest, external_type_digest, external_id_digest)
    WHERE external_provider_digest IS NOT NULL;

-- Lists come in three orders, of a project and of the whole organization, and by day of a user. Each index ends with the id,
-- which breaks ties, so that a page is read from where it begins. What is added up is found by its days.
CREATE INDEX time_entries_by_work_date ON time_entries (organization_id, work_date, id);
CREATE INDEX time_entries_by_created_at ON time_entries (organization_id, created_at, id);
CREATE INDEX time_entries_by_updated_at ON time_entries (organization_id, updated_at, id);
CREATE INDEX time_entries_by_project_and_work_date ON time_entries (organization_id, project_id, work_date, id);
CREATE INDEX time_entries_by_project_and_created_at ON time_entries (organization_id, project_id, created_at, id);
CREATE INDEX time_entries_by_project_and_updated_at ON time_entries (organization_id, project_id, updated_at, id);
CREATE INDEX time_entries_by_user_and_work_date ON time_entries (organization_id, user_id, work_date, id);

-- What the planner knew of the table went with it.
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
