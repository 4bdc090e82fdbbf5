DROP INDEX time_entries_by_status;
DROP INDEX time_entries_by_entry;
DROP INDEX time_entries_by_release;

CREATE INDEX time_entries_by_created_at ON time_entries (organization_id, created_at, id);
CREATE INDEX time_entries_by_project_and_created_at ON time_entries (organization_id, project_id, created_at, id);

DELETE FROM sqlite_stat1
    WHERE idx IN ('time_entries_by_status', 'time_entries_by_entry', 'time_entries_by_release');
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('time_entries', 'time_entries_by_created_at', '5000000 1000000 2 1'),
    ('time_entries', 'time_entries_by_project_and_created_at', '5000000 1000000 10000 2 1');
ANALYZE sqlite_schema;
