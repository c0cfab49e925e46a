//! Runs the stories one after the other on one local cluster: `stories [PART OF A NAME]…`.
//!
//! The cluster is started first and removed last, whatever comes in between; with
//! `FLOTILLA_E2E_KEEP=1` it stays, to look at, and the next run goes on with it.
//! `FLOTILLA_E2E_CLUSTER` names it, so that several runs fit on one machine.

#[path = "stories/adoption.rs"]
mod adoption;
#[path = "stories/bad_input.rs"]
mod bad_input;
#[path = "stories/borders.rs"]
mod borders;
#[path = "stories/exposure.rs"]
mod exposure;
#[path = "stories/gateway.rs"]
mod gateway;
#[path = "stories/inside.rs"]
mod inside;
#[path = "stories/life.rs"]
mod life;
#[path = "stories/lifecycle.rs"]
mod lifecycle;
#[path = "stories/operations.rs"]
mod operations;
#[path = "stories/platform.rs"]
mod platform;
#[path = "stories/pods.rs"]
mod pods;
#[path = "stories/stores.rs"]
mod stores;

use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use e2e::{Cluster, Traces};

type Telling<'a> = Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// A story: its claim, and how it is told.
struct Story {
    claim: &'static str,
    /// Whether it brings a cluster of its own.
    is_apart: bool,
    tell: fn(&Cluster) -> Telling<'_>,
}

/// Lists stories by the path of their function; the last part is the claim.
macro_rules! stories {
    ($($module:ident :: $claim:ident),* $(,)?) => {
        &[$(Story {
            claim: stringify!($claim),
            is_apart: matches!(stringify!($module).as_bytes(), b"adoption"),
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
    platform::operator_is_denied_nothing_that_it_asks_for,
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
    operations::a_leader_that_goes_is_followed_and_admission_never_fails,
    inside::workers_find_what_they_need_to_join,
    inside::addons_stand_in_the_tenant_and_are_repaired,
    inside::a_patch_of_the_kubelets_configuration_that_cannot_apply_is_refused,
    inside::write_permissions_block_and_release,
    inside::addons_that_are_taken_out_of_the_spec_leave_the_tenant,
    inside::a_tenant_that_slept_is_watched_again,
    inside::a_tenant_that_cannot_be_reached_is_deleted_all_the_same,
    adoption::a_running_tenant_of_kamaji_goes_on_under_flotilla,
    platform::a_second_cluster_with_two_nodes_stands_beside,
    platform::a_crash_in_the_middle_stops_no_next_up,
    platform::up_says_what_is_wrong_and_what_to_do,
];

#[tokio::main]
async fn main() -> ExitCode {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    service::install_tls_provider();
    match run(&wanted).await {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the stories whose claim holds one of `wanted`, all of them if that is empty. Returns how many failed.
async fn run(wanted: &[String]) -> Result<usize> {
    let name = std::env::var("FLOTILLA_E2E_CLUSTER").unwrap_or_else(|_| "e2e".to_owned());
    let cluster = Cluster::new(&name);
    let is_kept = std::env::var_os("FLOTILLA_E2E_KEEP").is_some();
    let chosen =
        |story: &&Story| wanted.is_empty() || wanted.iter().any(|part| story.claim.contains(part.as_str()));
    let needs_cluster = STORIES.iter().filter(chosen).any(|story| !story.is_apart);
    if !is_kept {
        cluster.flotilla(&["down"], &["--purge"])?;
    }
    let before = Traces::take()?;
    if needs_cluster {
        let began = Instant::now();
        cluster.flotilla(&["up"], &[])?.success().context("start the local cluster")?;
        println!("cluster is up ({:.1} s)", began.elapsed().as_secs_f64());
    }

    let (mut passed, mut failed) = (0, 0);
    for story in STORIES.iter().filter(chosen) {
        let began = Instant::now();
        let outcome = (story.tell)(&cluster).await;
        let seconds = began.elapsed().as_secs_f64();
        match outcome {
            Ok(()) => {
                passed += 1;
                println!("test {} ... ok ({seconds:.1} s)", story.claim);
            }
            Err(error) => {
                failed += 1;
                println!("test {} ... FAILED ({seconds:.1} s)\n    {error:#}", story.claim);
            }
        }
    }
    if !is_kept && needs_cluster {
        match take_down(&cluster, &before) {
            Ok(()) => passed += 1,
            Err(error) => {
                failed += 1;
                println!("test down_leaves_the_machine_as_it_was ... FAILED\n    {error:#}");
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    Ok(failed)
}

fn take_down(cluster: &Cluster, before: &Traces) -> Result<()> {
    cluster.flotilla(&["down"], &["--purge"])?.success()?;
    let left = Traces::take()?.beyond(before);
    ensure!(left.is_empty(), "left behind:\n{}", left.join("\n"));
    ensure!(!cluster.directory().exists(), "{} is still there", cluster.directory().display());
    println!("test down_leaves_the_machine_as_it_was ... ok");
    Ok(())
}
