DROP TABLE project_releases;
DROP TABLE project_entries;
DROP TABLE users;
DROP TABLE projects;
DROP TABLE organizations;
