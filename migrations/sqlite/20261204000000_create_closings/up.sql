-- Closings of the books. They are only ever added; of those of a project, and of those of the organization as a whole, which have
-- no project, the last one counts. Their number also tells a commit whether it was decided on the last one.

CREATE TABLE closings (
    organization_id BLOB    NOT NULL REFERENCES organizations (id),
    number          INTEGER NOT NULL CHECK (number >= 1),
    project_id      BLOB,
    closed_through  INTEGER CHECK (closed_through BETWEEN -719162 AND 2932896),
    at              INTEGER NOT NULL,
    key_id          BLOB    NOT NULL,
    user_id         BLOB,
    reason          TEXT,
    PRIMARY KEY (organization_id, number),
    FOREIGN KEY (organization_id, project_id) REFERENCES projects (organization_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX closings_by_project ON closings (organization_id, project_id, number);
