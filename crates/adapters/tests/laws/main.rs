//! The laws of the ports: what `timelog_domain::ports` says every adapter MUST do, as one suite
//! that runs on each of them.
//!
//! A law is a function that takes a fresh [`Subject`](subject::Subject); the macros below make one
//! test of each law and store. What only one kind of database promises is in a module of its own.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "in a test, what does not hold should panic"
)]

mod answers;
mod changing;
mod closings;
mod databases;
mod directory;
mod directory_pages;
mod feed;
mod filled_in;
mod gathered;
mod history;
mod interleaved;
mod keys;
mod lists;
mod model;
mod pairs;
#[path = "../../../../tests/support/pausable_clock.rs"]
mod pausable_clock;
mod plans;
mod postgres_alone;
mod postgres_plans;
mod races;
#[expect(dead_code, reason = "the end-to-end tests use the rest")]
#[path = "../../../../tests/support/postgres.rs"]
mod server;
mod shelf;
mod sqlite_alone;
mod subject;
mod time_entries;
mod together;
mod totals;
#[path = "../../../domain/tests/rules/values.rs"]
mod values;
mod webhooks;
mod world;

/// One test of each law, on a fresh subject of that name and a runtime of that flavor.
macro_rules! tests {
    ($flavor:literal, $subject:ident: $($laws:ident { $($law:ident,)+ })+) => {$(
        mod $laws {$(
            #[tokio::test(flavor = $flavor)]
            async fn $law() {
                crate::$laws::$law(crate::subject::$subject().await).await;
            }
        )+}
    )+};
}

macro_rules! laws_of_stores {
    ($flavor:literal, $subject:ident) => {
        tests! { $flavor, $subject:
            time_entries {
                a_new_entry_is_found_as_it_was_answered,
                an_entry_that_is_logged_again_is_found_as_it_was_answered,
                every_step_of_a_life_is_stored,
                the_ends_of_every_range_survive_unchanged,
                references_are_told_apart_byte_for_byte,
                the_longest_references_are_told_apart_and_found,
                organizations_do_not_see_each_other,
                a_refused_request_changes_nothing,
            }
            together {
                identical_requests_at_once_have_one_effect,
                one_new_reference_logged_many_times_at_once_makes_one_entry,
                of_two_actions_that_exclude_each_other_one_is_carried_out,
                a_request_that_panics_fails_alone_and_leaves_no_trace,
                a_repeat_whose_first_failed_is_carried_out,
                a_refusal_does_not_touch_its_neighbours,
                a_begun_request_runs_to_its_end_though_nobody_waits,
            }
            answers {
                an_answer_is_kept_as_it_was_given,
                a_large_answer_is_kept_and_replayed_byte_for_byte,
                the_longest_key_of_the_longest_operation_is_kept,
                an_answer_is_replayed_for_a_day_and_then_replaced,
                every_part_of_the_scope_tells_answers_apart,
                sweeping_is_bounded_and_spares_what_is_live,
            }
            changing {
                an_edited_entry_is_found_as_it_was_answered,
                an_edit_looks_for_tickets_in_the_project_of_its_entry,
                a_moved_entry_is_found_in_its_new_project_alone,
                entries_move_among_requests_that_wait_as_one_after_the_other,
                a_deleted_entry_is_gone_and_its_reference_is_free,
                one_reference_may_change_hands_among_requests_that_wait,
                many_are_logged_each_by_itself,
                one_failure_keeps_all_of_an_atomic_batch_from_being_stored,
                many_are_moved_each_by_itself_or_none,
                what_a_filter_finds_is_changed_as_it_was_answered,
                a_filter_that_finds_too_many_changes_nothing_and_tells_how_many,
            }
            directory {
                putting_again_changes_nothing,
                names_are_those_of_what_entries_refer_to,
                putting_replaces_what_was_there_and_is_seen_at_once,
                of_many_that_put_one_thing_at_once_one_creates_it,
            }
        }
    };
}

/// Reading is the same on any runtime.
macro_rules! laws_of_reading {
    ($subject:ident) => {
        tests! { "current_thread", $subject:
            lists {
                every_order_is_kept_in_both_directions,
                every_filter_lets_through_what_it_matches,
                pages_of_every_size_have_each_entry_once_and_in_order,
                a_reader_meets_what_stays_once_while_others_write,
                a_position_of_another_order_is_an_error,
                organizations_read_their_own_entries_only,
            }
            gathered {
                each_of_many_at_once_is_found_as_it_is,
                who_stops_waiting_for_an_entry_leaves_the_others_theirs,
            }
            totals {
                entries_are_added_up_by_every_key_every_two_and_every_three,
                only_what_the_filter_matches_is_added_up,
                a_day_is_added_to_the_week_and_the_month_it_lies_in,
                those_without_a_ticket_or_a_release_are_a_group_too,
            }
            feed {
                every_change_is_numbered_in_order_and_has_its_entry,
                pages_of_every_size_have_each_change_once,
                a_project_has_its_own_changes_under_the_same_numbers,
                who_may_no_longer_see_an_entry_sees_it_leave,
                whoever_follows_has_an_exact_copy_of_what_may_be_seen,
                who_loses_an_entry_is_not_told_what_it_became,
                the_end_of_a_feed_is_empty_and_so_is_what_lies_beyond,
                what_is_refused_or_fails_leaves_no_gap,
                organizations_have_feeds_of_their_own,
                a_notice_ends_with_the_next_change,
            }
            closings {
                closings_are_read_as_they_were_answered_newest_first,
                a_closed_period_takes_no_change_until_it_is_opened,
                what_waits_together_is_closed_in_its_order,
            }
            webhooks {
                a_webhook_is_found_as_it_was_answered,
                webhooks_are_listed_by_id_and_organization,
                a_deleted_webhook_is_gone_with_what_it_refused,
                what_is_due_is_leased_by_one,
                progress_is_noted_by_its_holder_for_its_version,
                what_was_put_aside_is_listed_until_it_is_taken,
                the_backlog_is_of_all_that_are_enabled,
            }
            history {
                a_history_is_read_as_it_was_recorded_oldest_first,
                a_history_outlives_its_entry_and_the_next_of_its_reference,
                organizations_read_their_own_history_only,
                what_changes_nothing_leaves_no_record,
            }
            directory_pages {
                everything_is_read_as_it_was_put,
                pages_have_each_id_once_and_in_order,
                what_belongs_to_others_is_not_read,
            }
        }
    };
}

/// Two programs, each on threads of its own.
macro_rules! laws_of_races {
    ($subject:ident) => {
        tests! { "multi_thread", $subject:
            races {
                of_an_approval_and_a_recall_one_wins,
                of_a_deletion_and_a_submission_one_wins,
                a_deletion_never_takes_what_is_being_approved,
                an_edit_never_changes_what_was_submitted,
                of_two_changes_of_one_version_one_wins,
                an_entry_is_put_on_one_invoice,
                an_entry_that_is_being_reopened_is_not_invoiced,
                a_reference_passes_from_a_deleted_entry_to_a_new_one,
                many_are_changed_while_others_change_them_one_by_one,
            }
            feed {
                a_reader_at_the_end_meets_every_number_once_and_in_order,
            }
            closings {
                nothing_changes_in_a_period_once_its_closing_was_answered,
            }
            webhooks {
                two_programs_never_lease_the_same_at_once,
            }
            interleaved {
                what_a_request_only_reads_is_as_it_was_while_it_ran,
                what_a_request_changes_is_decided_again_where_somebody_else_changed_it,
            }
        }
    };
}

/// These know what waits together, and so need a runtime of one thread.
macro_rules! laws_of_databases {
    ($subject:ident) => {
        tests! { "current_thread", $subject:
            feed {
                a_notice_of_another_organization_goes_on,
                a_notice_tells_of_the_changes_of_another_program,
                a_renewed_feed_has_another_epoch_and_the_same_changes,
            }
            databases {
                what_was_answered_is_there_for_another_program,
                two_programs_at_once_have_one_effect,
                requests_that_wait_share_a_commit,
                a_reference_changes_hands_within_a_commit,
                a_full_queue_turns_away_and_changes_nothing,
                a_request_that_waited_too_long_is_not_begun,
                a_request_whose_id_is_taken_fails_alone,
                draining_answers_what_waits_and_takes_no_more,
                a_panic_in_the_middle_of_a_commit_fails_alone_and_the_lane_goes_on,
                a_database_is_current_once_it_is_migrated,
                the_directory_needs_its_organization,
                what_is_kept_is_measured_as_it_comes_and_goes,
            }
            keys {
                a_key_is_found_by_its_whole_text_and_nothing_else,
                a_revoked_key_is_found_as_revoked_since_the_first_time,
                keys_are_listed_oldest_first_and_by_organization,
                a_key_cannot_refer_to_what_does_not_exist,
                no_two_keys_share_a_text,
                a_key_with_a_new_secret_is_the_same_key,
                a_former_secret_works_until_its_grace_is_over,
                a_revoked_key_gets_no_new_secret_and_none_of_its_secrets_works,
                of_new_secrets_given_at_once_each_was_the_one_for_a_while,
            }
        }
    };
}

/// Each store: the name of a function in [`subject`] that makes a new one.
macro_rules! stores {
    ($($subject:ident)+) => {$(
        mod $subject {
            mod one_thread {
                laws_of_stores!("current_thread", $subject);
            }
            mod reading {
                laws_of_reading!($subject);
            }
            mod threads {
                laws_of_stores!("multi_thread", $subject);
            }
        }
    )+};
}

/// Each store that is a database.
macro_rules! databases {
    ($($subject:ident)+) => {$(
        mod $subject {
            mod one_thread {
                laws_of_stores!("current_thread", $subject);
                laws_of_databases!($subject);
            }
            mod reading {
                laws_of_reading!($subject);
            }
            mod races {
                laws_of_races!($subject);
            }
            mod threads {
                laws_of_stores!("multi_thread", $subject);
            }
        }
    )+};
}

stores! {
    memory
}

databases! {
    sqlite
    postgres
}
