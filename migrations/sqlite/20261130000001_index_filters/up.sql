-- Each filter finds its entries by an index, also where there are few or none among millions. The order of creation is the
-- order of the ids, which begin with the time: the primary key has it, and needs no help. What most entries do not have is
-- indexed only where they have it.

DROP INDEX time_entries_by_created_at;
DROP INDEX time_entries_by_project_and_created_at;

CREATE INDEX time_entries_by_status ON time_entries (organization_id, status, billable, source, work_date, id);
CREATE INDEX time_entries_by_entry ON time_entries (organization_id, entry_id, work_date, id) WHERE entry_id IS NOT NULL;
CREATE INDEX time_entries_by_release ON time_entries (organization_id, release_id, work_date, id) WHERE release_id IS NOT NULL;
