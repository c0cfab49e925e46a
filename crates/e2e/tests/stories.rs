//! Runs stories on one local cluster: `stories [--all] [PART OF A NAME]…`. The long ones are told with `--all`, or
//! when they are named.
//!
//! The cluster is started first and removed last, whatever comes in between; with
//! `FLOTILLA_E2E_KEEP=1` it stays, to look at, and the next run goes on with it.
//! `FLOTILLA_E2E_CLUSTER` names it, so that several runs fit on one machine.

#[path = "stories/adoption.rs"]
mod adoption;
#[path = "stories/backups.rs"]
mod backups;
#[path = "stories/bad_input.rs"]
mod bad_input;
#[path = "stories/borders.rs"]
mod borders;
#[path = "stories/drivers.rs"]
mod drivers;
#[path = "stories/etcd_members.rs"]
mod etcd_members;
#[path = "stories/etcd_service.rs"]
mod etcd_service;
#[path = "stories/exposure.rs"]
mod exposure;
#[path = "stories/gateway.rs"]
mod gateway;
#[path = "stories/hub.rs"]
mod hub;
#[path = "stories/imports.rs"]
mod imports;
#[path = "stories/inside.rs"]
mod inside;
#[path = "stories/journeys.rs"]
mod journeys;
#[path = "stories/life.rs"]
mod life;
#[path = "stories/lifecycle.rs"]
mod lifecycle;
#[path = "stories/machine.rs"]
mod machine;
#[path = "stories/operations.rs"]
mod operations;
#[path = "stories/people.rs"]
mod people;
#[path = "stories/platform.rs"]
mod platform;
#[path = "stories/pods.rs"]
mod pods;
#[path = "stories/runner.rs"]
mod runner;
#[path = "stories/self_service.rs"]
mod self_service;
#[path = "stories/stores.rs"]
mod stores;
#[path = "stories/tenancy.rs"]
mod tenancy;
#[path = "stories/tunnels.rs"]
mod tunnels;
#[path = "stories/workers.rs"]
mod workers;
#[path = "stories/workloads.rs"]
mod workloads;

use std::process::ExitCode;

use runner::Story;

/// Lists stories by the path of their function; the last part is the claim.
macro_rules! stories {
    ($($module:ident :: $claim:ident),* $(,)?) => {
        &[$(Story {
            module: stringify!($module),
            claim: stringify!($claim),
            tell: |cluster| Box::pin($module::$claim(cluster)),
        }),*]
    };
}

const STORIES: &[Story] = stories![
    platform::first_tenant_answers_kubectl_from_the_host,
    platform::second_up_changes_nothing,
    platform::volumes_and_load_balancers_are_served,
    platform::image_archives_are_loaded_onto_the_node,
    platform::a_dead_component_is_restarted_and_reported,
    life::objects_have_the_names_and_keys_of_kamaji,
    life::what_is_deleted_or_changed_by_hand_comes_back,
    life::a_restarted_operator_changes_nothing,
    life::a_control_plane_sleeps_and_wakes,
    life::a_herd_becomes_ready_without_a_restart,
    life::a_deleted_control_plane_leaves_nothing,
    lifecycle::an_upgrade_of_one_replica_fails_no_request,
    lifecycle::an_upgrade_of_two_replicas_fails_no_request,
    lifecycle::a_new_authority_cuts_off_nobody,
    lifecycle::a_renewed_certificate_is_served_without_a_restart,
    lifecycle::scaling_replaces_no_pod,
    lifecycle::changed_addresses_are_followed,
    lifecycle::deletion_ends_without_the_store_and_without_the_tenant,
    exposure::a_changed_node_port_is_followed_by_service_status_and_kubeconfig,
    exposure::a_load_balancer_is_used_as_the_spec_says,
    exposure::an_ingress_is_followed_by_names_and_kubeconfig_and_goes_with_its_wish,
    exposure::a_tenant_of_both_address_families_is_served,
    gateway::a_gateway_that_comes_later_leads_to_the_control_plane,
    gateway::the_tunnel_through_a_gateway_carries_requests_to_workers,
    pods::pods_run_under_the_account_and_with_the_metadata_of_the_spec,
    pods::security_contexts_are_set_and_cleared_with_the_spec,
    pods::additional_containers_and_volumes_come_and_go_with_the_spec,
    bad_input::admission_refuses_with_field_value_and_what_is_allowed,
    bad_input::a_service_that_the_cluster_cannot_serve_is_named_and_heals,
    bad_input::a_data_store_that_leads_nowhere_is_named_and_heals,
    borders::a_tenants_certificate_opens_no_other_tenants_keys,
    borders::a_tenants_kubeconfig_opens_no_other_tenant,
    stores::overrides_are_kept_in_stores_of_other_authorities,
    stores::a_move_between_stores_loses_no_acknowledged_write,
    stores::wrong_credentials_of_a_store_are_named_and_harm_nothing,
    drivers::each_driver_serves_tenants_over_tls,
    drivers::credentials_of_a_tenant_open_no_other_tenants_database,
    drivers::nats_takes_one_tenant_and_says_so_to_the_next,
    drivers::a_corrupted_password_heals_and_the_pods_follow,
    drivers::a_store_that_is_killed_loses_no_acknowledged_write_and_no_tenant,
    drivers::each_driver_takes_two_hundred_writes_a_second,
    drivers::a_live_tenant_moves_across_drivers_though_the_target_is_killed,
    drivers::a_deleted_tenant_leaves_nothing_in_its_store,
    drivers::stores_without_tls_serve_tenants_too,
    backups::a_tenant_comes_back_from_a_volume_in_place_and_as_a_clone,
    workers::workers_of_two_tenants_join_from_behind_a_router,
    workers::pods_are_served_named_logged_and_entered,
    workers::webhooks_and_metrics_are_served_from_pods,
    workers::what_cannot_join_is_told_what_to_do,
    workers::a_worker_opens_no_other_tenant,
    workers::credentials_of_kubelets_are_rotated,
    workers::certificates_of_the_tunnels_are_renewed,
    workers::what_runs_on_workers_follows_an_upgrade,
    workers::a_lost_worker_is_seen_its_pods_move_and_it_comes_back,
    workers::a_worker_is_drained_and_removed,
    tenancy::a_tenants_control_planes_keep_to_its_quota_and_sleep_with_it,
    hub::people_sign_in_make_a_cluster_and_work_in_it,
    people::people_of_all_providers_work_in_what_is_theirs,
    self_service::a_cluster_sleeps_and_wakes_by_its_schedule,
    self_service::a_cluster_is_cloned_with_its_contents_and_keys_of_its_own,
    self_service::a_cluster_goes_on_at_another_tenant_and_nobody_inside_notices,
    imports::a_cluster_that_only_dials_out_is_imported,
    journeys::the_first_user_makes_a_cluster_and_looks_inside,
    journeys::a_cluster_is_imported_and_a_shell_opened_in_it,
    journeys::who_is_invited_sees_only_what_is_theirs,
    journeys::a_cluster_is_upgraded_sleeps_and_wakes_while_one_looks_on,
    journeys::a_cluster_is_backed_up_and_what_was_lost_comes_back,
    journeys::people_sign_in_in_every_way,
    operations::a_leader_that_goes_is_followed_and_admission_never_fails,
    inside::workers_find_what_they_need_to_join,
    inside::addons_stand_in_the_tenant_and_are_repaired,
    inside::a_patch_of_the_kubelets_configuration_that_cannot_apply_is_refused,
    inside::write_permissions_block_and_release,
    inside::addons_that_are_taken_out_of_the_spec_leave_the_tenant,
    inside::a_tenant_that_slept_is_watched_again,
    inside::a_tenant_that_cannot_be_reached_is_deleted_all_the_same,
    etcd_service::a_snapshot_is_taken_and_checked,
    etcd_service::a_full_store_is_freed_without_a_hand,
    etcd_members::one_member_becomes_three_and_any_of_them_may_be_lost,
    adoption::a_running_tenant_of_kamaji_goes_on_under_flotilla,
    machine::operator_is_denied_nothing_that_it_asks_for,
    machine::a_second_cluster_with_two_nodes_stands_beside,
    machine::a_crash_in_the_middle_stops_no_next_up,
    machine::up_says_what_is_wrong_and_what_to_do,
];

/// Told with `--all`: each takes about a minute or more.
const LONG: &[&str] = &[
    "a_cluster_sleeps_and_wakes_by_its_schedule",
    "a_corrupted_password_heals_and_the_pods_follow",
    "a_full_store_is_freed_without_a_hand",
    "a_live_tenant_moves_across_drivers_though_the_target_is_killed",
    "a_lost_worker_is_seen_its_pods_move_and_it_comes_back",
    "a_store_that_is_killed_loses_no_acknowledged_write_and_no_tenant",
    "certificates_of_the_tunnels_are_renewed",
    "each_driver_takes_two_hundred_writes_a_second",
    "one_member_becomes_three_and_any_of_them_may_be_lost",
    "what_cannot_join_is_told_what_to_do",
];

fn main() -> ExitCode {
    let (flags, wanted): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with('-'));
    if let Some(claim) = LONG.iter().find(|claim| !STORIES.iter().any(|story| story.claim == **claim)) {
        eprintln!("error: there is no story {claim}");
        return ExitCode::FAILURE;
    }
    let with_long = !wanted.is_empty() || flags.iter().any(|flag| flag == "--all");
    let stories = STORIES.iter().filter(|story| with_long || !LONG.contains(&story.claim)).collect();
    service::install_tls_provider();
    match runner::run(stories, &wanted) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
