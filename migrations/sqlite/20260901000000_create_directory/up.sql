-- What time entries refer to. Ids are 16-byte UUIDs, instants are milliseconds since 1970-01-01T00:00:00Z, days are YYYY-MM-DD.

CREATE TABLE organizations (
    id   BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE projects (
    organization_id BLOB    NOT NULL REFERENCES organizations (id),
    id              BLOB    NOT NULL CHECK (length(id) = 16),
    name            TEXT    NOT NULL,
    archived        INTEGER NOT NULL CHECK (archived IN (0, 1)),
    PRIMARY KEY (organization_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
    organization_id BLOB    NOT NULL REFERENCES organizations (id),
    id              BLOB    NOT NULL CHECK (length(id) = 16),
    name            TEXT    NOT NULL,
    active          INTEGER NOT NULL CHECK (active IN (0, 1)),
    PRIMARY KEY (organization_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE project_entries (
    organization_id BLOB NOT NULL,
    project_id      BLOB NOT NULL,
    id              BLOB NOT NULL CHECK (length(id) = 16),
    title           TEXT NOT NULL,
    PRIMARY KEY (organization_id, project_id, id),
    FOREIGN KEY (organization_id, project_id) REFERENCES projects (organization_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE project_releases (
    organization_id BLOB NOT NULL,
    project_id      BLOB NOT NULL,
    id              BLOB NOT NULL CHECK (length(id) = 16),
    name            TEXT NOT NULL,
    PRIMARY KEY (organization_id, project_id, id),
    FOREIGN KEY (organization_id, project_id) REFERENCES projects (organization_id, id)
) STRICT, WITHOUT ROWID;
