ALTER TABLE time_entry_history DROP COLUMN left_project_id;
