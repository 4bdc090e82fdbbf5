-- The user who lost an entry, by a change of its owner or by its deletion: a reader who sees that user's entries alone sees the
-- change too.

ALTER TABLE time_entry_history ADD COLUMN left_user_id uuid;
UPDATE time_entry_history SET left_user_id = (
        SELECT (change ->> 'old')::uuid FROM jsonb_array_elements(changes) AS change WHERE change ->> 'field' = 'userId'
    )
    WHERE changes @> '[{"field": "userId"}]';

COMMENT ON COLUMN time_entry_history.left_user_id IS 'The user who lost the entry, where the change gave it to another or deleted it.';
-- An entry can move since the history says where it was.
COMMENT ON COLUMN time_entries.project_id IS 'The project that the time counts for.';

-- The planner is to take every organization for as large as the largest one, rather than for an average one or one that its
-- statistics do not know: it must not read all of an organization where a few rows are asked.
ALTER TABLE time_entries ALTER COLUMN organization_id SET (n_distinct = 1);
ALTER TABLE time_entry_history ALTER COLUMN organization_id SET (n_distinct = 1);
ANALYZE time_entries (organization_id), time_entry_history (organization_id);
