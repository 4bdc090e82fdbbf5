-- What time entries refer to. Every key leads with the organization: no lookup crosses tenants, and the tables shard by tenant.

CREATE TABLE organizations (
    id   uuid NOT NULL PRIMARY KEY,
    name text NOT NULL
);

CREATE TABLE projects (
    organization_id uuid    NOT NULL REFERENCES organizations (id),
    id              uuid    NOT NULL,
    name            text    NOT NULL,
    archived        boolean NOT NULL,
    PRIMARY KEY (organization_id, id)
);

CREATE TABLE users (
    organization_id uuid    NOT NULL REFERENCES organizations (id),
    id              uuid    NOT NULL,
    name            text    NOT NULL,
    active          boolean NOT NULL,
    PRIMARY KEY (organization_id, id)
);

CREATE TABLE project_entries (
    organization_id uuid NOT NULL,
    project_id      uuid NOT NULL,
    id              uuid NOT NULL,
    title           text NOT NULL,
    PRIMARY KEY (organization_id, project_id, id),
    FOREIGN KEY (organization_id, project_id) REFERENCES projects (organization_id, id)
);

CREATE TABLE project_releases (
    organization_id uuid NOT NULL,
    project_id      uuid NOT NULL,
    id              uuid NOT NULL,
    name            text NOT NULL,
    PRIMARY KEY (organization_id, project_id, id),
    FOREIGN KEY (organization_id, project_id) REFERENCES projects (organization_id, id)
);

COMMENT ON TABLE organizations IS 'Tenants. Everything else belongs to one.';
COMMENT ON COLUMN organizations.id IS 'Its id.';
COMMENT ON COLUMN organizations.name IS 'What it is called.';

COMMENT ON TABLE projects IS 'Projects that time is logged on.';
COMMENT ON COLUMN projects.organization_id IS 'The organization it belongs to.';
COMMENT ON COLUMN projects.id IS 'Its id.';
COMMENT ON COLUMN projects.name IS 'What it is called.';
COMMENT ON COLUMN projects.archived IS 'An archived project takes no new time.';

COMMENT ON TABLE users IS 'People whose time is logged.';
COMMENT ON COLUMN users.organization_id IS 'The organization it belongs to.';
COMMENT ON COLUMN users.id IS 'Its id.';
COMMENT ON COLUMN users.name IS 'What they are called.';
COMMENT ON COLUMN users.active IS 'Time can be logged for active users only.';

COMMENT ON TABLE project_entries IS 'Entries of a project''s backlog (tickets). Not time entries.';
COMMENT ON COLUMN project_entries.organization_id IS 'The organization it belongs to.';
COMMENT ON COLUMN project_entries.project_id IS 'The project it belongs to.';
COMMENT ON COLUMN project_entries.id IS 'Its id.';
COMMENT ON COLUMN project_entries.title IS 'What it is called.';

COMMENT ON TABLE project_releases IS 'Releases of a project.';
COMMENT ON COLUMN project_releases.organization_id IS 'The organization it belongs to.';
COMMENT ON COLUMN project_releases.project_id IS 'The project it belongs to.';
COMMENT ON COLUMN project_releases.id IS 'Its id.';
COMMENT ON COLUMN project_releases.name IS 'What it is called.';
