//! What the API server has of the hub: the file that tells it whose identities to take.

use api::names::Component;
use k8s_openapi::api::core::v1::{ConfigMapVolumeSource, Volume, VolumeMount};

use super::volumes::{self, MODE, item};
use crate::Validated;
use crate::hub::{FILE, Trust};

const VOLUME: &str = "flotilla-hub";
const DIRECTORY: &str = "/etc/kubernetes/hub";

fn is_trusted(control_plane: &Validated) -> bool {
    matches!(Trust::of(control_plane), Trust::Given(_))
}

/// The API server's flag, if it trusts the hub. It reads the file again when that changes.
pub(super) fn flag(control_plane: &Validated) -> Option<(String, String)> {
    is_trusted(control_plane).then(|| ("--authentication-config".to_owned(), format!("{DIRECTORY}/{FILE}")))
}

/// What the API server mounts.
pub(super) fn mount(control_plane: &Validated) -> Option<VolumeMount> {
    is_trusted(control_plane).then(|| volumes::mount(VOLUME, DIRECTORY))
}

/// The volume with the file alone.
pub(super) fn volume(control_plane: &Validated) -> Option<Volume> {
    is_trusted(control_plane).then(|| Volume {
        name: VOLUME.to_owned(),
        config_map: Some(ConfigMapVolumeSource {
            name: Component::Hub.object_name(control_plane.name()),
            items: Some(vec![item(FILE, FILE)]),
            default_mode: Some(MODE),
            ..ConfigMapVolumeSource::default()
        }),
        ..Volume::default()
    })
}
