-- The project that an entry left, where a change moved it to another one: readers of that project see the change too.

ALTER TABLE time_entry_history ADD COLUMN left_project_id BLOB;
