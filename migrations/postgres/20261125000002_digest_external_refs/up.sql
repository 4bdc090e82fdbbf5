-- A reference is found by digests of its three texts, which may themselves be longer than what an index takes. Each has its own,
-- so that the index finds whatever it found before: a provider, a type of it, an id alone.
CREATE FUNCTION external_digest(part text) RETURNS bytea LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN substring(sha256(convert_to(part, 'UTF8')) FOR 16);

DROP INDEX time_entries_by_external_ref;
ALTER TABLE time_entries
    ADD COLUMN external_provider_digest bytea,
    ADD COLUMN external_type_digest bytea,
    ADD COLUMN external_id_digest bytea;
-- Writes the table and its indexes anew, which takes less time than an update of each row, and leaves nothing to clean up.
ALTER TABLE time_entries
    ALTER COLUMN external_provider_digest TYPE bytea USING external_digest(external_provider),
    ALTER COLUMN external_type_digest TYPE bytea USING external_digest(external_type),
    ALTER COLUMN external_id_digest TYPE bytea USING external_digest(external_id);
ALTER TABLE time_entries
    ADD CHECK ((external_provider_digest IS NULL) = (external_provider IS NULL)),
    ADD CHECK ((external_type_digest IS NULL) = (external_type IS NULL)),
    ADD CHECK ((external_id_digest IS NULL) = (external_id IS NULL)),
    ADD CHECK (length(external_provider_digest) = 16),
    ADD CHECK (length(external_type_digest) = 16),
    ADD CHECK (length(external_id_digest) = 16);

-- A reference names at most one live entry of the organization.
CREATE UNIQUE INDEX time_entries_by_external_ref
    ON time_entries (organization_id, external_provider_digest, external_type_digest, external_id_digest)
    WHERE external_provider_digest IS NOT NULL;

-- The release before does not know the digests. While its instances still run beside those of this one, they are added to what
-- it logs.
CREATE FUNCTION add_external_digests() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.external_provider_digest := external_digest(NEW.external_provider);
    NEW.external_type_digest := external_digest(NEW.external_type);
    NEW.external_id_digest := external_digest(NEW.external_id);
    RETURN NEW;
END
$$;
CREATE TRIGGER add_external_digests BEFORE INSERT ON time_entries FOR EACH ROW
    WHEN (NEW.external_provider_digest IS NULL AND NEW.external_provider IS NOT NULL)
    EXECUTE FUNCTION add_external_digests();

-- What the planner is to know of the new columns, where there is anything to know.
DO $$
BEGIN
    IF EXISTS (SELECT FROM time_entries) THEN
        ANALYZE time_entries (external_provider_digest, external_type_digest, external_id_digest);
    END IF;
END
$$;

COMMENT ON FUNCTION external_digest IS 'What a part of a reference is found by: the first 16 bytes of SHA-256 of its UTF-8.';
COMMENT ON COLUMN time_entries.external_provider_digest IS 'What the provider is found by: external_digest(external_provider).';
COMMENT ON COLUMN time_entries.external_type_digest IS 'What the type is found by: external_digest(external_type).';
COMMENT ON COLUMN time_entries.external_id_digest IS 'What the id is found by: external_digest(external_id).';
