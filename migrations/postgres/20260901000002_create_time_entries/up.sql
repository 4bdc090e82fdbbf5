-- Time entries, and the history of their changes. Whether an entry is invoiced is its status and nothing else.

CREATE TABLE time_entries (
    organization_id   uuid        NOT NULL,
    id                uuid        NOT NULL,
    project_id        uuid        NOT NULL,
    user_id           uuid        NOT NULL,
    entry_id          uuid,
    release_id        uuid,
    work_date         date        NOT NULL,
    minutes           integer     NOT NULL CHECK (minutes BETWEEN 1 AND 1440),
    description       text,
    billable          boolean     NOT NULL,
    source            text        NOT NULL CHECK (source IN ('api', 'ui', 'import')),
    status            text        NOT NULL
        CHECK (status IN ('draft', 'submitted', 'approved', 'rejected', 'locked', 'invoiced')),
    external_provider text,
    external_type     text,
    external_id       text,
    version           bigint      NOT NULL CHECK (version >= 1),
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, project_id) REFERENCES projects (organization_id, id),
    FOREIGN KEY (organization_id, user_id) REFERENCES users (organization_id, id),
    FOREIGN KEY (organization_id, project_id, entry_id) REFERENCES project_entries (organization_id, project_id, id),
    FOREIGN KEY (organization_id, project_id, release_id) REFERENCES project_releases (organization_id, project_id, id),
    CHECK ((external_provider IS NULL) = (external_type IS NULL)),
    CHECK ((external_provider IS NULL) = (external_id IS NULL))
);

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
    organization_id uuid        NOT NULL,
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
    changes         jsonb       NOT NULL,
    PRIMARY KEY (organization_id, time_entry_id, version)
);

COMMENT ON TABLE time_entries IS 'Who worked on which project, on which day, for how long.';
COMMENT ON COLUMN time_entries.organization_id IS 'The organization it belongs to.';
COMMENT ON COLUMN time_entries.id IS 'Its id, a UUIDv7 where the service minted it.';
COMMENT ON COLUMN time_entries.project_id IS 'The project the time was logged on. It never changes.';
COMMENT ON COLUMN time_entries.user_id IS 'Who worked.';
COMMENT ON COLUMN time_entries.entry_id IS 'The backlog entry (ticket) the time was spent on.';
COMMENT ON COLUMN time_entries.release_id IS 'The release the time was spent on.';
COMMENT ON COLUMN time_entries.work_date IS 'The day the work was done on. It has no time zone.';
COMMENT ON COLUMN time_entries.minutes IS 'The duration. Hours are always derived from it.';
COMMENT ON COLUMN time_entries.description IS 'On what, in words.';
COMMENT ON COLUMN time_entries.billable IS 'Whether a customer pays for it.';
COMMENT ON COLUMN time_entries.source IS 'How the entry was created.';
COMMENT ON COLUMN time_entries.status IS 'Where the entry stands in its life. It is invoiced exactly when this says so.';
COMMENT ON COLUMN time_entries.external_provider IS 'The other system, where the entry has a name there: provider, type and id together.';
COMMENT ON COLUMN time_entries.external_type IS 'The kind of thing it is in the other system.';
COMMENT ON COLUMN time_entries.external_id IS 'Its id in the other system.';
COMMENT ON COLUMN time_entries.version IS 'Counts the changes from 1. It is the entity tag, and what saves compare.';
COMMENT ON COLUMN time_entries.created_at IS 'Whole milliseconds.';
COMMENT ON COLUMN time_entries.updated_at IS 'Whole milliseconds.';

COMMENT ON TABLE time_entry_history IS 'Every change of every entry, also of those that were deleted.';
COMMENT ON COLUMN time_entry_history.organization_id IS 'The organization it belongs to.';
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
