-- Closings of the books. They are only ever added; of those of a project, and of those of the organization as a whole, which have
-- no project, the last one counts. Their number also tells a commit whether it was decided on the last one.

CREATE TABLE closings (
    organization_id uuid        NOT NULL REFERENCES organizations (id),
    number          bigint      NOT NULL CHECK (number >= 1),
    project_id      uuid,
    closed_through  date,
    at              timestamptz NOT NULL,
    key_id          uuid        NOT NULL,
    user_id         uuid,
    reason          text,
    PRIMARY KEY (organization_id, number),
    FOREIGN KEY (organization_id, project_id) REFERENCES projects (organization_id, id)
);

CREATE INDEX closings_by_project ON closings (organization_id, project_id, number);

COMMENT ON TABLE closings IS 'Up to which day nothing may change that says what was worked.';
COMMENT ON COLUMN closings.organization_id IS 'The organization it belongs to.';
COMMENT ON COLUMN closings.number IS 'Counts the closings of the organization from 1, in the order of commits.';
COMMENT ON COLUMN closings.project_id IS 'The only project that it closes. Null for all.';
COMMENT ON COLUMN closings.closed_through IS 'The last day that is closed. Null where the books are open.';
COMMENT ON COLUMN closings.at IS 'When it was closed.';
COMMENT ON COLUMN closings.key_id IS 'The API key that it was done with.';
COMMENT ON COLUMN closings.user_id IS 'The user that the key was bound to, if any.';
COMMENT ON COLUMN closings.reason IS 'The reason, where one was given.';
