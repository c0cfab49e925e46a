//! containerd's configuration.

use std::path::Path;

/// The sandbox image, by its full name: containerd does not complete it.
pub(crate) const SANDBOX_IMAGE: &str = "registry.k8s.io/pause:3.10";

/// The configuration for a containerd in a node's mount namespace, where /run/containerd is the node's.
/// Version 2 of the format is read by containerd 1.6, 1.7 and 2.
pub(crate) fn render(root: &Path, plugins: &Path, pod_network: &Path) -> String {
    let (root, plugins, pod_network) = (root.display(), plugins.display(), pod_network.display());
    // `opt` would make /opt/containerd on the host; the snapshotters are not used and warn.
    // Without CAP_SYS_RESOURCE (in a virtual machine or a container) runc cannot lower oom scores.
    format!(
        r#"version = 2
root = "{root}"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.internal.v1.opt",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]

[grpc]
  address = "/run/containerd/containerd.sock"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{SANDBOX_IMAGE}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{pod_network}"

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
"#
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn containerd_keeps_to_its_nodes_directories() {
        let root = Path::new("/data/nodes/0/containerd");
        insta::assert_snapshot!(super::render(
            root,
            Path::new("/usr/lib/cni"),
            Path::new("/data/nodes/0/cni")
        ));
    }
}
