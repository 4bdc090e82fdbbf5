-- A reference is found by a digest of it. Its own texts may be longer than what an index takes.
--
-- The digest begins with a part for the provider, then one for the provider and the type, then one for all three, so that a
-- range of digests holds what belongs to a provider, or to a provider and a type. Before each text stands its length in bytes.
CREATE FUNCTION external_digest(provider text, external_type text, external_id text) RETURNS bytea
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN substring(sha256(
        int4send(octet_length(convert_to(provider, 'UTF8'))) || convert_to(provider, 'UTF8')) FOR 8)
    || substring(sha256(
        int4send(octet_length(convert_to(provider, 'UTF8'))) || convert_to(provider, 'UTF8')
        || int4send(octet_length(convert_to(external_type, 'UTF8'))) || convert_to(external_type, 'UTF8')) FOR 8)
    || substring(sha256(
        int4send(octet_length(convert_to(provider, 'UTF8'))) || convert_to(provider, 'UTF8')
        || int4send(octet_length(convert_to(external_type, 'UTF8'))) || convert_to(external_type, 'UTF8')
        || int4send(octet_length(convert_to(external_id, 'UTF8'))) || convert_to(external_id, 'UTF8')) FOR 16);

DROP INDEX time_entries_by_external_ref;
ALTER TABLE time_entries ADD COLUMN external_digest bytea;
-- Writes the table and its indexes anew, which takes less time than an update of each row, and leaves nothing to clean up.
ALTER TABLE time_entries ALTER COLUMN external_digest TYPE bytea
    USING external_digest(external_provider, external_type, external_id);
ALTER TABLE time_entries
    ADD CHECK ((external_digest IS NULL) = (external_provider IS NULL)),
    ADD CHECK (length(external_digest) = 32);

-- A reference names at most one live entry of the organization.
CREATE UNIQUE INDEX time_entries_by_external_ref ON time_entries (organization_id, external_digest)
    WHERE external_digest IS NOT NULL;

-- The release before does not know the column. While its instances still run beside those of this one, the digest is added to
-- what they log.
CREATE FUNCTION add_external_digest() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.external_digest := external_digest(NEW.external_provider, NEW.external_type, NEW.external_id);
    RETURN NEW;
END
$$;
CREATE TRIGGER add_external_digest BEFORE INSERT ON time_entries FOR EACH ROW
    WHEN (NEW.external_digest IS NULL AND NEW.external_provider IS NOT NULL)
    EXECUTE FUNCTION add_external_digest();

-- What the planner is to know of the new column, where there is anything to know.
DO $$
BEGIN
    IF EXISTS (SELECT FROM time_entries) THEN
        ANALYZE time_entries (external_digest);
    END IF;
END
$$;

COMMENT ON COLUMN time_entries.external_digest IS 'What the reference is found by: external_digest(external_provider, external_type, external_id).';
COMMENT ON FUNCTION external_digest IS 'The digest by which a reference is found: 8 bytes of the provider, 8 of the provider and the type, 16 of all three.';
