-- Receivers that changes are delivered to. How far each is stands with it; there is no row for each delivery. The lease tells who
-- delivers; its time is that of the server's clock.

CREATE TABLE webhooks (
    organization_id   uuid        NOT NULL REFERENCES organizations (id),
    id                uuid        NOT NULL,
    version           bigint      NOT NULL CHECK (version >= 1),
    destination_url   text        NOT NULL,
    event_names       text        NOT NULL,
    description       text,
    project_id        uuid,
    enabled           boolean     NOT NULL,
    secret            bytea       NOT NULL CHECK (length(secret) = 32),
    former_secret     bytea       CHECK (length(former_secret) = 32),
    former_until      timestamptz,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    delivered_through bigint      NOT NULL CHECK (delivered_through >= 0),
    misses            integer     NOT NULL,
    refusals          integer     NOT NULL,
    away_since        timestamptz,
    next_attempt_at   timestamptz,
    disabled_reason   text,
    last_error        text,
    last_error_at     timestamptz,
    lease_holder      uuid,
    lease_until       timestamptz,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, project_id) REFERENCES projects (organization_id, id),
    CHECK ((former_secret IS NULL) = (former_until IS NULL)),
    CHECK ((last_error IS NULL) = (last_error_at IS NULL)),
    CHECK ((lease_holder IS NULL) = (lease_until IS NULL))
);

CREATE TABLE webhook_failures (
    organization_id uuid        NOT NULL,
    webhook_id      uuid        NOT NULL,
    seq             bigint      NOT NULL,
    event           text        NOT NULL,
    time_entry_id   uuid        NOT NULL,
    error           text        NOT NULL,
    failed_at       timestamptz NOT NULL,
    PRIMARY KEY (organization_id, webhook_id, seq),
    FOREIGN KEY (organization_id, webhook_id) REFERENCES webhooks (organization_id, id) ON DELETE CASCADE
);

COMMENT ON TABLE webhooks IS 'Receivers that changes are delivered to, and how far each is.';
COMMENT ON COLUMN webhooks.organization_id IS 'The organization whose changes it gets.';
COMMENT ON COLUMN webhooks.id IS 'UUIDv7, minted by the server.';
COMMENT ON COLUMN webhooks.version IS 'Counts its changes from 1. Delivering is no change.';
COMMENT ON COLUMN webhooks.destination_url IS 'Where events are sent.';
COMMENT ON COLUMN webhooks.event_names IS 'The events that it gets, with spaces between them; * for all.';
COMMENT ON COLUMN webhooks.description IS 'What it is for.';
COMMENT ON COLUMN webhooks.project_id IS 'The only project whose changes it gets. Null for all.';
COMMENT ON COLUMN webhooks.enabled IS 'Whether somebody wants it to deliver.';
COMMENT ON COLUMN webhooks.secret IS 'What deliveries are signed with.';
COMMENT ON COLUMN webhooks.former_secret IS 'The secret before, if deliveries may still be signed with it too.';
COMMENT ON COLUMN webhooks.former_until IS 'The first moment at which they are not.';
COMMENT ON COLUMN webhooks.created_at IS 'When it was made.';
COMMENT ON COLUMN webhooks.updated_at IS 'When it was changed last.';
COMMENT ON COLUMN webhooks.delivered_through IS 'The number of the last change that is done with: delivered, put aside, or not meant for it.';
COMMENT ON COLUMN webhooks.misses IS 'How often in a row the receiver was away.';
COMMENT ON COLUMN webhooks.refusals IS 'How often it refused the next event.';
COMMENT ON COLUMN webhooks.away_since IS 'Since when it has been away.';
COMMENT ON COLUMN webhooks.next_attempt_at IS 'When to try again.';
COMMENT ON COLUMN webhooks.disabled_reason IS 'Why it was given up.';
COMMENT ON COLUMN webhooks.last_error IS 'What went wrong last, until an event is delivered again.';
COMMENT ON COLUMN webhooks.last_error_at IS 'When that was.';
COMMENT ON COLUMN webhooks.lease_holder IS 'The program that delivers.';
COMMENT ON COLUMN webhooks.lease_until IS 'When another one may, by the clock of this server.';
COMMENT ON TABLE webhook_failures IS 'Events that a receiver refused until they were put aside.';
COMMENT ON COLUMN webhook_failures.organization_id IS 'The organization it belongs to.';
COMMENT ON COLUMN webhook_failures.webhook_id IS 'The webhook.';
COMMENT ON COLUMN webhook_failures.seq IS 'The number of the change.';
COMMENT ON COLUMN webhook_failures.event IS 'What had happened, as in the history.';
COMMENT ON COLUMN webhook_failures.time_entry_id IS 'The time entry that it had happened to.';
COMMENT ON COLUMN webhook_failures.error IS 'The last refusal.';
COMMENT ON COLUMN webhook_failures.failed_at IS 'When that was.';
