//! What makes a machine a worker: a script for Debian and Ubuntu, and a cloud-init file that runs it.

use std::fmt::Write as _;

use crate::Join;

const NODE: &str = include_str!("node.sh");
/// Where the cloud-init file puts the script: nobody but root reads it, and it is gone after a reboot.
const PLACE: &str = "/run/flotilla-join.sh";

/// The script for one cluster. It holds the token, so it is as secret as that.
#[must_use]
pub fn node(join: &Join) -> String {
    let mut text = String::from("#!/bin/sh\n");
    for (name, value) in [
        ("ENDPOINT", join.endpoint.as_str()),
        ("TOKEN", &join.token.expose()),
        ("CA_CERT_HASH", &join.ca_cert_hash),
        ("VERSION", &join.version),
    ] {
        let _ = writeln!(text, "FLOTILLA_{name}='{value}'");
    }
    text.push('\n');
    text + NODE
}

/// A cloud-init file that runs the script at a machine's first start.
#[must_use]
pub fn cloud_init(join: &Join) -> String {
    let mut text =
        format!("#cloud-config\nwrite_files:\n- path: {PLACE}\n  permissions: \"0600\"\n  content: |\n");
    for line in node(join).lines() {
        let indent = if line.is_empty() { "" } else { "    " };
        let _ = writeln!(text, "{indent}{line}");
    }
    let _ = writeln!(text, "runcmd:\n- [sh, {PLACE}]\n- [rm, -f, {PLACE}]");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join() -> Join {
        Join {
            endpoint: "192.0.2.7:6443".to_owned(),
            token: desired::joining::Token::read("abcdef.0123456789abcdef").unwrap(),
            ca_cert_hash: "sha256:00".to_owned(),
            version: "v1.36.3".to_owned(),
        }
    }

    #[test]
    fn the_script_begins_with_the_cluster() {
        let text = node(&join());
        let head: Vec<&str> = text.lines().take(5).collect();
        assert_eq!(
            head,
            [
                "#!/bin/sh",
                "FLOTILLA_ENDPOINT='192.0.2.7:6443'",
                "FLOTILLA_TOKEN='abcdef.0123456789abcdef'",
                "FLOTILLA_CA_CERT_HASH='sha256:00'",
                "FLOTILLA_VERSION='v1.36.3'",
            ]
        );
    }

    #[test]
    fn the_cloud_init_file_holds_the_script_and_runs_it() {
        let text = cloud_init(&join());
        let read: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(read["write_files"][0]["content"], node(&join()));
        assert_eq!(read["write_files"][0]["permissions"], "0600");
        assert_eq!(read["runcmd"][0], serde_json::json!(["sh", PLACE]));
    }
}
