ALTER TABLE time_entry_history ALTER COLUMN organization_id RESET (n_distinct);
ALTER TABLE time_entries ALTER COLUMN organization_id RESET (n_distinct);
ALTER TABLE time_entry_history DROP COLUMN left_user_id;
COMMENT ON COLUMN time_entries.project_id IS 'The project the time was logged on. It never changes.';
