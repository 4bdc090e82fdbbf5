ALTER TABLE time_entry_history DROP COLUMN left_user_id;
