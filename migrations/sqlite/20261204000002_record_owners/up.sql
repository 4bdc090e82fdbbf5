-- The user who had an entry before a change that gave it to another, moved it or deleted it: a reader who sees that user's
-- entries alone sees the change too. A move that does not say so kept the owner, whom the next such change or the entry tells.

ALTER TABLE time_entry_history ADD COLUMN left_user_id BLOB;
UPDATE time_entry_history SET left_user_id = (
        SELECT unhex(replace(json_extract(value, '$.old'), '-', '')) FROM json_each(changes)
        WHERE json_extract(value, '$.field') = 'userId'
    )
    WHERE instr(changes, '"userId"') > 0;
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
