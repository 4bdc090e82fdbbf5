ALTER TABLE organizations DROP COLUMN feed_epoch;
DROP INDEX time_entry_history_by_entry;
ALTER TABLE time_entry_history DROP COLUMN seq;
ALTER TABLE time_entry_history ADD PRIMARY KEY (organization_id, time_entry_id, version);
