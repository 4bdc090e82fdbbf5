DROP INDEX time_entries_by_status;
DROP INDEX time_entries_by_entry;
DROP INDEX time_entries_by_release;

CREATE INDEX time_entries_by_created_at ON time_entries (organization_id, created_at, id);
CREATE INDEX time_entries_by_project_and_created_at ON time_entries (organization_id, project_id, created_at, id);
