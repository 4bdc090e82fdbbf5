-- Credentials. Only a SHA-256 of a key's text is kept; the prefix finds the row, the digest decides.

CREATE TABLE api_keys (
    organization_id BLOB    NOT NULL REFERENCES organizations (id),
    id              BLOB    NOT NULL CHECK (length(id) = 16),
    prefix          TEXT    NOT NULL,
    digest          BLOB    NOT NULL CHECK (length(digest) = 32),
    project_id      BLOB,
    user_id         BLOB,
    permissions     TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    revoked_at      INTEGER,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, project_id) REFERENCES projects (organization_id, id),
    FOREIGN KEY (organization_id, user_id) REFERENCES users (organization_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX api_keys_by_prefix ON api_keys (prefix);
