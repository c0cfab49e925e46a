//! Kubeconfigs of administrators, controller manager and scheduler.

use api::names::Component;
use k8s_openapi::api::core::v1::Secret;
use pki::{
    CertificateAuthority, CertificatePlan, ClientIdentity, Error, Kubeconfig, KubeconfigContents, Pair,
};

use crate::endpoint::{host_port, public};
use crate::metadata::text;
use crate::pairs::{Renewal, serves};
use crate::{Endpoint, Validated};

/// A Secret with kubeconfigs.
pub(super) struct File {
    pub(super) component: Component,
    entries: Vec<Entry>,
}

/// One kubeconfig.
struct Entry {
    key: &'static str,
    user: &'static str,
    groups: &'static [&'static str],
    server: String,
}

/// A kubeconfig that was kept or made.
pub(super) struct Made {
    pub(super) key: &'static str,
    pub(super) text: String,
    pub(super) pair: Pair,
}

/// The Secrets and what shall stand in them.
pub(super) fn files(control_plane: &Validated, endpoint: &Endpoint) -> [File; 3] {
    const ADMIN: (&str, &[&str]) = ("kubernetes-admin", &["kubeadm:cluster-admins"]);
    const SUPER_ADMIN: (&str, &[&str]) = ("kubernetes-super-admin", &["system:masters"]);
    let port = control_plane.port();
    let (public_host, public_port) = public(control_plane, endpoint);
    let outside = format!("https://{}", host_port(&public_host, public_port));
    let inside = format!("https://{}", host_port(&control_plane.service_host(), port));
    let local = format!("https://127.0.0.1:{port}");
    let entry = |key, (user, groups): (&'static str, &'static [&'static str]), server: &str| Entry {
        key,
        user,
        groups,
        server: server.to_owned(),
    };
    [
        File {
            component: Component::AdminKubeconfig,
            entries: vec![
                entry("admin.conf", ADMIN, &outside),
                entry("admin.svc", ADMIN, &inside),
                entry("super-admin.conf", SUPER_ADMIN, &outside),
                entry("super-admin.svc", SUPER_ADMIN, &inside),
            ],
        },
        File {
            component: Component::ControllerManagerKubeconfig,
            entries: vec![entry("controller-manager.conf", ("system:kube-controller-manager", &[]), &local)],
        },
        File {
            component: Component::SchedulerKubeconfig,
            entries: vec![entry("scheduler.conf", ("system:kube-scheduler", &[]), &local)],
        },
    ]
}

/// Keeps the kubeconfigs that still serve, byte for byte, and makes the rest. A certificate is made
/// once per user and Secret; a new address alone needs none. `trust` are the certificates that the server
/// may be known by.
pub(super) fn make(
    file: &File,
    cluster: &str,
    existing: Option<&Secret>,
    ca: &CertificateAuthority,
    trust: &str,
    renewal: Renewal,
) -> Result<Vec<Made>, Error> {
    let mut made: Vec<Made> = Vec::new();
    let mut users: Vec<(&str, Pair)> = Vec::new();
    for entry in &file.entries {
        let plan = CertificatePlan::client(entry.user, entry.groups.iter().copied());
        let kept_text = existing.and_then(|secret| text(secret, entry.key));
        let contents = kept_text
            .and_then(|text| KubeconfigContents::read(text).ok())
            .filter(|contents| serves(&contents.pair, &plan, ca, renewal));
        if let (Some(text), Some(contents)) = (kept_text, &contents)
            && contents.server == entry.server
            && contents.certificate_authority.trim() == trust.trim()
        {
            users.push((entry.user, contents.pair.clone()));
            made.push(Made { key: entry.key, text: text.to_owned(), pair: contents.pair.clone() });
            continue;
        }
        let known = users.iter().find(|(user, _)| *user == entry.user).map(|(_, pair)| pair.clone());
        let pair = match contents.map(|contents| contents.pair).or(known) {
            Some(pair) => pair,
            None => plan.issue(ca, renewal.now)?,
        };
        let kubeconfig = Kubeconfig { cluster, server: &entry.server, certificate_authority: trust };
        let text = kubeconfig.render(&ClientIdentity { user: entry.user, pair: &pair });
        users.push((entry.user, pair.clone()));
        made.push(Made { key: entry.key, text, pair });
    }
    Ok(made)
}
