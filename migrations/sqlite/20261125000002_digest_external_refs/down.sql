DROP INDEX time_entries_by_external_ref;
ALTER TABLE time_entries DROP COLUMN external_id_digest;
ALTER TABLE time_entries DROP COLUMN external_type_digest;
ALTER TABLE time_entries DROP COLUMN external_provider_digest;
CREATE UNIQUE INDEX time_entries_by_external_ref
    ON time_entries (organization_id, external_provider, external_type, external_id)
    WHERE external_provider IS NOT NULL;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('time_entries', 'time_entries_by_external_ref', '5000000 1000000 500000 500000 1');
ANALYZE sqlite_schema;
