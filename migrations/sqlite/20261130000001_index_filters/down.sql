DROP INDEX time_entries_by_status;
DROP INDEX time_entries_by_entry;
DROP INDEX time_entries_by_release;

CREATE INDEX time_entries_by_created_at ON time_entries (organization_id, created_at, id);
CREATE INDEX time_entries_by_project_and_created_at ON time_entries (organization_id, project_id, created_at, id);

-- What the release before wants its planner to know of them.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('time_entries', 'time_entries_by_created_at', '5000000 1000000 2 1'),
    ('time_entries', 'time_entries_by_project_and_created_at', '5000000 1000000 10000 2 1');
ANALYZE sqlite_schema;
