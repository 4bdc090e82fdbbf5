-- The user who had an entry before a change that gave it to another, moved it or deleted it: a reader who sees that user's
-- entries alone sees the change too. A move that does not say so kept the owner, whom the next such change or the entry tells.

ALTER TABLE time_entry_history ADD COLUMN left_user_id uuid;
UPDATE time_entry_history SET left_user_id = (
        SELECT (change ->> 'old')::uuid FROM jsonb_array_elements(changes) AS change WHERE change ->> 'field' = 'userId'
    )
    WHERE changes @> '[{"field": "userId"}]';
UPDATE time_entry_history SET left_user_id = coalesce(
        (
            SELECT later.left_user_id FROM time_entry_history AS later
            WHERE later.organization_id = time_entry_history.organization_id
                AND later.time_entry_id = time_entry_history.time_entry_id
                AND later.version > time_entry_history.version AND later.left_user_id IS NOT NULL
            ORDER BY later.version LIMIT 1
        ),
        (
            SELECT user_id FROM time_entries
            WHERE organization_id = time_entry_history.organization_id AND id = time_entry_history.time_entry_id
        )
    )
    WHERE left_project_id IS NOT NULL AND left_user_id IS NULL;

COMMENT ON COLUMN time_entry_history.left_user_id IS 'The user who had the entry before, where the change gave it to another, moved it or deleted it.';
-- An entry can move since the history says where it was.
COMMENT ON COLUMN time_entries.project_id IS 'The project that the time counts for.';

-- The planner is to take every organization for as large as the largest one, rather than for an average one or one that its
-- statistics do not know: it must not read all of an organization where a few rows are asked.
ALTER TABLE time_entries ALTER COLUMN organization_id SET (n_distinct = 1);
ALTER TABLE time_entry_history ALTER COLUMN organization_id SET (n_distinct = 1);
-- An empty table is not looked at: the planner would believe that it stays small.
DO $$
BEGIN
    IF EXISTS (SELECT FROM time_entries) THEN
        ANALYZE time_entries (organization_id), time_entry_history (organization_id);
    END IF;
END
$$;
