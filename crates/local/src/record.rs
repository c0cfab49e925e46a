//! What a cluster consists of, as recorded in its data directory.

use std::path::{Path, PathBuf};

use base::KubernetesVersion;
use serde::{Deserialize, Serialize};

use crate::host::files;
use crate::{AddressPlan, Error, Layout};

/// Format of the data directory. A directory of another format is refused.
const FORMAT: u32 = 1;

/// What the cluster consists of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    format: u32,
    /// The cluster's name.
    pub name: String,
    /// Kubernetes version of the management cluster, `v1.36.3`.
    pub kubernetes: String,
    /// How many nodes it has.
    pub nodes: u8,
    /// Its addresses.
    pub addresses: AddressPlan,
    /// Where the programs come from.
    pub distribution: PathBuf,
}

impl Record {
    /// The record of a new cluster.
    #[must_use]
    pub fn new(
        layout: &Layout,
        kubernetes: &KubernetesVersion,
        nodes: u8,
        addresses: AddressPlan,
        distribution: &Path,
    ) -> Self {
        Self {
            format: FORMAT,
            name: layout.name().to_string(),
            kubernetes: kubernetes.to_string(),
            nodes,
            addresses,
            distribution: distribution.to_owned(),
        }
    }

    /// Reads the record in a data directory, if there is one.
    pub fn read(layout: &Layout) -> Result<Option<Self>, Error> {
        let path = layout.record();
        let Some(text) = files::read_if_exists(&path)? else { return Ok(None) };
        let incompatible = |reason: String| Error::IncompatibleData {
            directory: layout.data().to_owned(),
            reason,
            name: layout.name().to_string(),
        };
        let record: Self = serde_json::from_str(&text)
            .map_err(|error| incompatible(format!("{} is unreadable: {error}", path.display())))?;
        if record.format != FORMAT {
            let reason = format!("its format is {}, this program writes format {FORMAT}", record.format);
            return Err(incompatible(reason));
        }
        if record.name != layout.name().as_str() {
            return Err(incompatible(format!("it belongs to the cluster `{}`", record.name)));
        }
        Ok(Some(record))
    }

    /// Writes the record into the data directory.
    pub fn write(&self, layout: &Layout) -> Result<(), Error> {
        files::write_json(&layout.record(), self)
    }

    /// The version as a value.
    pub fn version(&self) -> Result<KubernetesVersion, Error> {
        self.kubernetes.parse().map_err(|_| Error::IncompatibleData {
            directory: self.distribution.clone(),
            reason: format!("`{}` is no Kubernetes version", self.kubernetes),
            name: self.name.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Record;
    use crate::{AddressPlan, Layout};

    fn layout(directory: &tempfile::TempDir) -> Layout {
        Layout::new("dev".parse().unwrap(), directory.path().to_owned())
    }

    #[test]
    fn a_record_survives_writing_and_reading() {
        let directory = tempfile::tempdir().unwrap();
        let layout = layout(&directory);
        assert_eq!(Record::read(&layout).unwrap(), None);
        let plan = AddressPlan::first_free(&[]).unwrap();
        let record = Record::new(&layout, &"1.36.3".parse().unwrap(), 2, plan, "/dist".as_ref());
        record.write(&layout).unwrap();
        assert_eq!(Record::read(&layout).unwrap(), Some(record));
    }

    #[test]
    fn data_of_another_format_is_refused_with_a_way_out() {
        let directory = tempfile::tempdir().unwrap();
        let layout = layout(&directory);
        for text in [
            r#"{"format":9,"name":"dev","kubernetes":"v1.36.3","nodes":1,"addresses":200,"distribution":"/d"}"#,
            "{",
        ] {
            std::fs::write(layout.record(), text).unwrap();
            let error = Record::read(&layout).unwrap_err().to_string();
            assert!(error.contains("--purge"), "{error}");
        }
    }
}
