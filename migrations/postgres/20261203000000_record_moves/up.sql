-- The project that an entry left, where a change moved it to another one: readers of that project see the change too.

ALTER TABLE time_entry_history ADD COLUMN left_project_id uuid;

COMMENT ON COLUMN time_entry_history.left_project_id IS 'The project that the entry left, where the change moved it.';
