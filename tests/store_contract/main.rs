//! What every store promises, sentence by sentence, asked of both.
//!
//! The MongoDB side needs the server that `make test` starts.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "this is a test: what it takes for granted, it unwraps"
)]

mod backend;
mod comparison;
mod entering;
mod history;
mod leaving;
mod lobby;
mod messages;
#[path = "../mongo_server/mod.rs"]
mod mongo_server;
mod nodes;
mod owner;
mod people;
mod races;
mod rooms;
mod sessions;
mod tokens;
mod trimming;
mod two_servers;

/// Makes a test of each sentence for each store. A sentence that is not listed is dead code, and
/// the lints say so.
macro_rules! contract {
    ($($topic:ident: $($sentence:ident)+;)+) => {
        contract!(@on sqlite $($topic: $($sentence)+;)+);
        contract!(@on mongo $($topic: $($sentence)+;)+);
    };
    (@on $store:ident $($topic:ident: $($sentence:ident)+;)+) => {
        mod $store {
            $(mod $topic {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $sentence() {
                    crate::backend::$store(crate::$topic::$sentence).await;
                })+
            })+
        }
    };
}

contract! {
    rooms:
        a_new_room_waits_for_its_first_person
        a_room_that_nobody_made_is_not_there
        no_more_rooms_are_made_than_allowed
        a_room_is_closed_once_whoever_is_there
        an_unused_room_is_closed_only_when_its_time_is_over
        a_room_that_somebody_has_entered_is_not_unused
        a_room_is_overdue_when_somebody_is_away_or_nobody_ever_came
        the_messages_of_a_room_outlive_it_until_they_are_purged
        purging_leaves_a_room_that_exists_alone
        the_store_is_ready;
    lobby:
        the_liveliest_rooms_come_first_then_the_newest_then_by_id
        a_search_finds_titles_in_whatever_case
        a_search_is_a_text_and_not_an_expression
        a_search_for_what_no_title_holds_finds_nothing
        the_pages_of_the_lobby_join_without_gap_or_overlap
        a_page_of_no_rooms_still_counts_them
        a_card_shows_the_first_twelve_colours
        a_card_tells_that_there_is_a_password
        only_rooms_that_exist_are_summed_up;
    entering:
        a_newcomer_has_a_seat_and_the_room_waits_no_more
        whoever_enters_is_called_as_the_rules_say
        a_name_is_free_as_soon_as_its_person_has_gone
        the_same_socket_entering_twice_is_there_once
        another_tab_joins_the_seat_of_its_person
        nobody_enters_a_room_that_is_gone
        only_who_knows_the_password_comes_in
        the_owner_needs_no_password
        the_reasons_to_refuse_come_in_their_order
        capacity_counts_people_and_not_tabs
        whoever_is_away_comes_back_past_password_and_full_house;
    leaving:
        a_seat_is_away_only_when_its_last_connection_went
        a_connection_that_nobody_has_is_unknown
        leaving_takes_every_connection_along
        whoever_has_no_seat_stays_where_they_are
        only_who_is_away_for_long_enough_gives_up_their_seat
        whoever_has_been_there_longest_follows_an_owner
        whoever_left_and_came_back_is_last_in_line
        a_guest_who_leaves_changes_no_owner
        the_last_one_to_leave_takes_the_room_along
        whoever_is_kicked_does_not_come_back
        a_room_that_has_changed_hands_obeys_its_former_owner_no_more
        a_bot_whose_maker_is_kicked_does_not_come_back_to_its_seat
        a_kick_shuts_out_the_network_that_the_seat_was_last_taken_from
        kicking_the_last_one_closes_the_room
        an_absent_owner_gives_way_to_whoever_has_been_there_longest
        an_owner_with_a_seat_is_not_replaced
        the_last_person_takes_along_a_room_in_which_bots_are_left
        a_room_with_bots_alone_waits_for_its_first_person;
    messages:
        every_kind_of_message_comes_back_as_it_was_said
        numbers_rise_in_the_order_of_the_batch
        each_message_points_to_the_one_before_that_everybody_sees
        a_whisper_moves_no_head
        what_is_not_stored_is_never_pointed_to
        an_author_is_called_as_their_seat_says
        nobody_speaks_where_they_have_no_seat
        nothing_is_whispered_to_who_is_not_there
        nothing_is_said_in_a_room_that_is_gone
        the_room_speaks_of_those_who_have_left
        an_empty_batch_stores_nothing
        the_same_client_id_is_stored_once
        the_same_client_id_twice_in_one_batch_is_stored_once
        a_retry_after_leaving_gets_the_first_message_back
        what_a_batch_says_later_was_not_said_before
        a_client_id_belongs_to_one_person_in_one_room;
    owner:
        the_owner_changes_everything_and_nothing_else_changes
        a_password_is_replaced_and_taken_away
        only_the_owner_changes_a_room_that_is_there
        nobody_loses_their_place_to_a_smaller_capacity
        an_owner_gives_the_room_to_somebody_in_it
        what_is_deleted_keeps_its_place_and_says_nothing
        whoever_says_it_or_owns_the_room_deletes
        a_gif_is_unused_once_no_message_shows_it;
    history:
        the_latest_messages_come_in_their_order
        older_messages_are_found_page_by_page
        newer_messages_are_found_page_by_page
        whispers_are_seen_by_two_and_take_no_place_on_a_page
        several_who_are_read_for_together_see_what_each_sees_alone
        a_room_without_messages_has_no_history;
    trimming:
        the_oldest_messages_go_and_the_rest_stays_as_it_was
        a_long_history_goes_step_by_step
        what_is_trimmed_away_takes_along_the_gifs_that_nobody_shows_any_more
        trimming_one_room_leaves_the_others_alone;
    nodes:
        the_connections_of_a_silent_node_go
        a_node_without_a_row_counts_as_dead
        a_store_has_one_id_for_good
        times_from_before_the_clock_was_set_back_count_as_now
        the_node_that_buries_never_counts_as_dead
        a_node_that_was_heard_of_in_time_lives
        a_seat_with_a_connection_elsewhere_stays
        whoever_was_away_already_stays_away_since_then
        a_node_that_stops_takes_its_connections_along;
    sessions:
        a_session_comes_back_as_it_was_kept
        a_session_that_is_taken_is_not_made_again
        a_patch_changes_the_values_it_names_and_revives_no_session
        patches_and_passes_at_the_same_time_all_stay
        a_pass_is_replaced_and_the_oldest_goes_when_there_are_too_many
        a_pass_goes_with_its_room_and_with_its_session
        a_session_ends_at_its_time
        those_that_have_ended_are_told_from_the_living
        a_deleted_session_is_gone
        only_expired_sessions_are_cleared_away
        a_session_that_is_prolonged_ends_no_earlier;
    tokens:
        a_token_is_found_by_its_hash_until_it_ends
        a_session_has_so_many_tokens_at_once
        a_session_sees_its_own_tokens_in_the_order_in_which_they_were_made
        tokens_that_have_ended_are_told_from_the_living
        a_token_is_removed_by_its_own_session_alone
        tokens_end_with_the_session_that_made_them
        only_expired_tokens_are_cleared_away
        the_rooms_of_somebody_are_those_where_they_have_a_seat;
    races:
        of_fifty_who_race_for_ten_places_ten_get_in
        one_person_on_many_tabs_takes_one_seat
        people_of_one_name_end_up_with_names_of_their_own
        nobody_enters_a_room_that_its_last_person_closes
        nobody_enters_an_unused_room_that_is_closed
        of_two_last_people_one_closes_the_room
        a_room_whose_people_leave_is_owned_by_one_who_is_there
        a_seat_goes_away_once_when_its_tabs_close_together
        one_client_id_sent_at_once_is_stored_once
        batches_at_once_share_no_number
        what_is_said_in_many_rooms_at_once_stays_in_its_room
        nodes_that_bury_at_once_do_no_harm;
}
