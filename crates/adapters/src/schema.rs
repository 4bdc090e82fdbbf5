//! The tables, one description for every database. The migrations make them; a test compares the
//! two.

diesel::table! {
    use diesel::sql_types::Text;
    use crate::types::Id;

    organizations (id) {
        id -> Id,
        name -> Text,
        feed_epoch -> Id,
    }
}

diesel::table! {
    use diesel::sql_types::{Bool, Text};
    use crate::types::Id;

    projects (organization_id, id) {
        organization_id -> Id,
        id -> Id,
        name -> Text,
        archived -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::{Bool, Text};
    use crate::types::Id;

    users (organization_id, id) {
        organization_id -> Id,
        id -> Id,
        name -> Text,
        active -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use crate::types::Id;

    project_entries (organization_id, project_id, id) {
        organization_id -> Id,
        project_id -> Id,
        id -> Id,
        title -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use crate::types::Id;

    project_releases (organization_id, project_id, id) {
        organization_id -> Id,
        project_id -> Id,
        id -> Id,
        name -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Nullable, Text};
    use crate::types::{Id, Instant};

    api_keys (organization_id, id) {
        organization_id -> Id,
        id -> Id,
        prefix -> Text,
        digest -> Binary,
        project_id -> Nullable<Id>,
        user_id -> Nullable<Id>,
        permissions -> Text,
        created_at -> Instant,
        revoked_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Text};
    use crate::types::{Id, Instant};

    former_secrets (organization_id, key_id, prefix) {
        organization_id -> Id,
        key_id -> Id,
        prefix -> Text,
        digest -> Binary,
        expires_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
    use crate::types::{Day, Id, Instant};

    time_entries (organization_id, id) {
        organization_id -> Id,
        id -> Id,
        project_id -> Id,
        user_id -> Id,
        entry_id -> Nullable<Id>,
        release_id -> Nullable<Id>,
        work_date -> Day,
        minutes -> Integer,
        description -> Nullable<Text>,
        billable -> Bool,
        source -> Text,
        status -> Text,
        external_provider -> Nullable<Text>,
        external_type -> Nullable<Text>,
        external_id -> Nullable<Text>,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        external_provider_digest -> Nullable<Binary>,
        external_type_digest -> Nullable<Binary>,
        external_id_digest -> Nullable<Binary>,
        reason -> Nullable<Text>,
        invoice_ref -> Nullable<Text>,
        invoice_digest -> Nullable<Binary>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use crate::types::{Document, Id, Instant};

    time_entry_history (organization_id, seq) {
        organization_id -> Id,
        seq -> BigInt,
        time_entry_id -> Id,
        project_id -> Id,
        version -> BigInt,
        event -> Text,
        at -> Instant,
        key_id -> Id,
        user_id -> Nullable<Id>,
        reason -> Nullable<Text>,
        invoice_ref -> Nullable<Text>,
        from_status -> Nullable<Text>,
        to_status -> Nullable<Text>,
        changes -> Document,
        left_project_id -> Nullable<Id>,
        left_user_id -> Nullable<Id>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use crate::types::{Day, Id, Instant};

    closings (organization_id, number) {
        organization_id -> Id,
        number -> BigInt,
        project_id -> Nullable<Id>,
        closed_through -> Nullable<Day>,
        at -> Instant,
        key_id -> Id,
        user_id -> Nullable<Id>,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
    use crate::types::{Id, Instant};

    webhooks (organization_id, id) {
        organization_id -> Id,
        id -> Id,
        version -> BigInt,
        destination_url -> Text,
        event_names -> Text,
        description -> Nullable<Text>,
        project_id -> Nullable<Id>,
        enabled -> Bool,
        secret -> Binary,
        former_secret -> Nullable<Binary>,
        former_until -> Nullable<Instant>,
        created_at -> Instant,
        updated_at -> Instant,
        delivered_through -> BigInt,
        misses -> Integer,
        refusals -> Integer,
        away_since -> Nullable<Instant>,
        next_attempt_at -> Nullable<Instant>,
        disabled_reason -> Nullable<Text>,
        last_error -> Nullable<Text>,
        last_error_at -> Nullable<Instant>,
        lease_holder -> Nullable<Id>,
        lease_until -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Text};
    use crate::types::{Id, Instant};

    webhook_failures (organization_id, webhook_id, seq) {
        organization_id -> Id,
        webhook_id -> Id,
        seq -> BigInt,
        event -> Text,
        time_entry_id -> Id,
        error -> Text,
        failed_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Integer};
    use crate::types::{Id, Instant};

    idempotency_keys (organization_id, digest) {
        organization_id -> Id,
        digest -> Binary,
        fingerprint -> Binary,
        status -> Integer,
        answer -> Binary,
        expires_at -> Instant,
        size -> Integer,
    }
}

diesel::allow_tables_to_appear_in_same_query!(api_keys, former_secrets);
diesel::allow_tables_to_appear_in_same_query!(organizations, time_entry_history, webhooks);
