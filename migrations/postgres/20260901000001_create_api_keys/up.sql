-- Credentials. Only a SHA-256 of a key's text is kept; the prefix finds the row, the digest decides.

CREATE TABLE api_keys (
    organization_id uuid        NOT NULL REFERENCES organizations (id),
    id              uuid        NOT NULL,
    prefix          text        NOT NULL,
    digest          bytea       NOT NULL CHECK (length(digest) = 32),
    project_id      uuid,
    user_id         uuid,
    permissions     text        NOT NULL,
    created_at      timestamptz NOT NULL,
    revoked_at      timestamptz,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, project_id) REFERENCES projects (organization_id, id),
    FOREIGN KEY (organization_id, user_id) REFERENCES users (organization_id, id)
);

CREATE INDEX api_keys_by_prefix ON api_keys (prefix);

COMMENT ON TABLE api_keys IS 'What callers authenticate with, without the secrets.';
COMMENT ON COLUMN api_keys.organization_id IS 'The organization it belongs to.';
COMMENT ON COLUMN api_keys.id IS 'Its id.';
COMMENT ON COLUMN api_keys.prefix IS 'The part of the key that is not secret: tlk_<prefix>_<secret>.';
COMMENT ON COLUMN api_keys.digest IS 'SHA-256 of the whole key.';
COMMENT ON COLUMN api_keys.project_id IS 'The only project the key may touch, where it is narrowed to one.';
COMMENT ON COLUMN api_keys.user_id IS 'The only user whose entries the key may change, where it is bound to one.';
COMMENT ON COLUMN api_keys.permissions IS 'Comma-separated: read, write, approve, bill, admin.';
COMMENT ON COLUMN api_keys.created_at IS 'When it was made.';
COMMENT ON COLUMN api_keys.revoked_at IS 'Since when the key is refused.';
