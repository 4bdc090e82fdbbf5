-- The user who lost an entry, by a change of its owner or by its deletion: a reader who sees that user's entries alone sees the
-- change too.

ALTER TABLE time_entry_history ADD COLUMN left_user_id BLOB;
UPDATE time_entry_history SET left_user_id = (
        SELECT unhex(replace(json_extract(value, '$.old'), '-', '')) FROM json_each(changes)
        WHERE json_extract(value, '$.field') = 'userId'
    )
    WHERE instr(changes, '"userId"') > 0;
