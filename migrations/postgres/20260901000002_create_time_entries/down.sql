DROP TABLE time_entry_history;
DROP TABLE time_entries;
