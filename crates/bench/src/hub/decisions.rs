//! How long the hub takes to decide, with ten thousand grants.

use std::hint::black_box;
use std::time::Instant;

use authz::{Grant, Place, Policy, Request, Scope, Subject, Tree, Who, builtin_roles};

use crate::figures::{Figure, Figures};

const TENANTS: usize = 500;
const CLUSTERS: usize = 5000;
const GRANTS: usize = 10_000;
const USERS: usize = 2000;
const GROUPS: usize = 500;
/// Groups of one person.
const GROUPS_OF_ONE: usize = 20;
const BATCHES: usize = 50;
const DECISIONS: u32 = 2000;

pub(super) fn measure(figures: &mut Figures) {
    let policy = policy();
    let mut samples = Vec::with_capacity(BATCHES);
    for batch in 0..BATCHES {
        let subject = subject(batch * 37 % USERS);
        let began = Instant::now();
        for number in 0..DECISIONS as usize {
            let cluster = cluster(number * 7919 % CLUSTERS);
            let request = Request::cluster("get", "apps", "deployments", "web");
            black_box(policy.may(&subject, &request, Place::Namespace(&cluster, "shop")).is_allowed());
        }
        samples.push(began.elapsed().as_secs_f64() * 1e6 / f64::from(DECISIONS));
    }
    figures.insert(format!("hub_decision_{GRANTS}_grants_us"), Figure::new("µs", samples));
}

/// Tenants eight deep, most grants to groups.
fn policy() -> Policy {
    let mut tree = Tree::default();
    for number in 0..TENANTS {
        let parent = (number % 8 != 0).then(|| tenant(number - 1));
        tree.add_tenant(&tenant(number), parent.as_deref());
    }
    for number in 0..CLUSTERS {
        tree.add_cluster(&cluster(number), &tenant(number % TENANTS));
    }
    let roles = ["read-only", "tenant-owner", "cluster-owner", "auditor"];
    let grants = (0..GRANTS).map(|number| Grant {
        name: format!("g-{number}"),
        who: if number % 3 == 0 {
            Who::User(user(number % USERS))
        } else {
            Who::Group(group(number % GROUPS))
        },
        role: roles[number % roles.len()].to_owned(),
        scope: if number % 4 == 0 {
            Scope::Cluster(cluster(number * 31 % CLUSTERS))
        } else {
            Scope::Tenant(tenant(number * 17 % TENANTS))
        },
    });
    let grants: Vec<Grant> = grants.collect();
    Policy::new(tree, builtin_roles(), grants)
}

fn subject(number: usize) -> Subject {
    let groups = (0..GROUPS_OF_ONE).map(|position| group((number * 13 + position * 29) % GROUPS)).collect();
    Subject { user: user(number), groups }
}

fn tenant(number: usize) -> String {
    format!("t-{number}")
}

fn cluster(number: usize) -> String {
    format!("t-{}.c-{number}", number % TENANTS)
}

fn user(number: usize) -> String {
    format!("u-{number}")
}

fn group(number: usize) -> String {
    format!("corp:g-{number}")
}
