-- Fails where a reference is longer than what an index takes.
DROP TRIGGER add_external_digests ON time_entries;
DROP FUNCTION add_external_digests;
DROP INDEX time_entries_by_external_ref;
ALTER TABLE time_entries
    DROP COLUMN external_provider_digest,
    DROP COLUMN external_type_digest,
    DROP COLUMN external_id_digest;
DROP FUNCTION external_digest;
CREATE UNIQUE INDEX time_entries_by_external_ref
    ON time_entries (organization_id, external_provider, external_type, external_id)
    WHERE external_provider IS NOT NULL;
