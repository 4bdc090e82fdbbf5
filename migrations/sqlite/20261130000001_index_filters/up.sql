-- Each filter finds its entries by an index, also where there are few or none among millions. The order of creation is the
-- order of the ids, which begin with the time: the primary key has it, and needs no help. What most entries do not have is
-- indexed only where they have it.

DROP INDEX time_entries_by_created_at;
DROP INDEX time_entries_by_project_and_created_at;

CREATE INDEX time_entries_by_status ON time_entries (organization_id, status, billable, source, work_date, id);
CREATE INDEX time_entries_by_entry ON time_entries (organization_id, entry_id, work_date, id) WHERE entry_id IS NOT NULL;
CREATE INDEX time_entries_by_release ON time_entries (organization_id, release_id, work_date, id) WHERE release_id IS NOT NULL;

-- What the planner is to know of them: see the migration that made the others.
DELETE FROM sqlite_stat1 WHERE idx IN ('time_entries_by_created_at', 'time_entries_by_project_and_created_at');
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('time_entries', 'time_entries_by_status', '5000000 1000000 200000 100000 50000 100 1'),
    ('time_entries', 'time_entries_by_entry', '2500000 500000 100 10 1'),
    ('time_entries', 'time_entries_by_release', '2500000 500000 2500 20 1');
ANALYZE sqlite_schema;
