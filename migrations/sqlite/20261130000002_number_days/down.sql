CREATE TABLE time_entries_with_texts (
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

INSERT INTO time_entries_with_texts
    SELECT organization_id, id, project_id, user_id, entry_id, release_id, date(work_date * 86400, 'unixepoch'), minutes, description, billable, source,
        status, external_provider, external_type, external_id, version, created_at, updated_at,
        external_provider_digest, external_type_digest, external_id_digest
    FROM time_entries ORDER BY rowid;
DROP TABLE time_entries;
ALTER TABLE time_entries_with_texts RENAME TO time_entries;

-- A reference names at most one live entry of the organization.
CREATE UNIQUE INDEX time_entries_by_external_ref
    ON time_entries (organization_id, external_provider_digest, external_type_digest, external_id_digest)
    WHERE external_provider_digest IS NOT NULL;

CREATE INDEX time_entries_by_work_date ON time_entries (organization_id, work_date, id);
CREATE INDEX time_entries_by_updated_at ON time_entries (organization_id, updated_at, id);
CREATE INDEX time_entries_by_project_and_work_date ON time_entries (organization_id, project_id, work_date, id);
CREATE INDEX time_entries_by_project_and_updated_at ON time_entries (organization_id, project_id, updated_at, id);
CREATE INDEX time_entries_by_user_and_work_date ON time_entries (organization_id, user_id, work_date, id);
CREATE INDEX time_entries_by_status ON time_entries (organization_id, status, billable, source, work_date, id);
CREATE INDEX time_entries_by_entry ON time_entries (organization_id, entry_id, work_date, id) WHERE entry_id IS NOT NULL;
CREATE INDEX time_entries_by_release ON time_entries (organization_id, release_id, work_date, id) WHERE release_id IS NOT NULL;
