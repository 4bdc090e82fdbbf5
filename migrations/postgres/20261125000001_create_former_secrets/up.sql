-- Secrets that an API key had before it got another one. Each goes on working until its time is over.

CREATE TABLE former_secrets (
    organization_id uuid        NOT NULL,
    key_id          uuid        NOT NULL,
    prefix          text        NOT NULL,
    digest          bytea       NOT NULL CHECK (length(digest) = 32),
    expires_at      timestamptz NOT NULL,
    PRIMARY KEY (organization_id, key_id, prefix),
    FOREIGN KEY (organization_id, key_id) REFERENCES api_keys (organization_id, id)
);

CREATE INDEX former_secrets_by_prefix ON former_secrets (prefix);

COMMENT ON TABLE former_secrets IS 'Secrets that API keys had before, and that still work for a while.';
COMMENT ON COLUMN former_secrets.organization_id IS 'The organization it belongs to.';
COMMENT ON COLUMN former_secrets.key_id IS 'The API key.';
COMMENT ON COLUMN former_secrets.prefix IS 'The part of the former text that is not secret.';
COMMENT ON COLUMN former_secrets.digest IS 'SHA-256 of the whole former text.';
COMMENT ON COLUMN former_secrets.expires_at IS 'The first moment at which it is refused.';
