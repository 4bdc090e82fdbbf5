-- Secrets that an API key had before it got another one. Each goes on working until its time is over.

CREATE TABLE former_secrets (
    organization_id BLOB    NOT NULL,
    key_id          BLOB    NOT NULL,
    prefix          TEXT    NOT NULL,
    digest          BLOB    NOT NULL CHECK (length(digest) = 32),
    expires_at      INTEGER NOT NULL,
    PRIMARY KEY (organization_id, key_id, prefix),
    FOREIGN KEY (organization_id, key_id) REFERENCES api_keys (organization_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX former_secrets_by_prefix ON former_secrets (prefix);
