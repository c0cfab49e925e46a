//! The distribution directory: where the programs of Kubernetes and the tools around it are.

use std::path::{Path, PathBuf};

use base::KubernetesVersion;

use crate::Error;

/// The components that the multi-call binary holds.
pub const COMPONENTS: [&str; 9] = [
    "etcd",
    "etcdutl",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubeadm",
    "kubectl",
    "kubelet",
];

const PROGRAM: &str = "flotilla-kubernetes";

/// A directory made by `cargo xtask build`: `kubernetes/v<version>/flotilla-kubernetes` and `tools/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    directory: PathBuf,
}

impl Distribution {
    /// Finds the distribution: the named directory, or `FLOTILLA_DIST`, or what lies beside the
    /// running program (`../dist` of its directory or of a parent's, so that test programs find it
    /// too, then the directory itself).
    pub fn find(named: Option<&Path>) -> Result<Self, Error> {
        let named =
            named.map(Path::to_owned).or_else(|| std::env::var_os("FLOTILLA_DIST").map(PathBuf::from));
        let places = named.map_or_else(beside_the_program, |directory| vec![directory]);
        match places.iter().find(|place| place.join("kubernetes").is_dir()) {
            Some(directory) => {
                let directory = std::path::absolute(directory).map_err(Error::file("resolve", directory))?;
                Ok(Self { directory })
            }
            None => Err(Error::FindDistribution { places }),
        }
    }

    /// The directory itself.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The built versions, oldest first.
    #[must_use]
    pub fn versions(&self) -> Vec<KubernetesVersion> {
        let Ok(entries) = std::fs::read_dir(self.directory.join("kubernetes")) else { return Vec::new() };
        let mut versions: Vec<KubernetesVersion> = entries
            .flatten()
            .filter(|entry| entry.path().join(PROGRAM).is_file())
            .filter_map(|entry| entry.file_name().to_str()?.strip_prefix('v')?.parse().ok())
            .collect();
        versions.sort();
        versions
    }

    /// The wanted version if it is built; without a wish the newest one.
    pub fn pick(&self, wanted: Option<&KubernetesVersion>) -> Result<KubernetesVersion, Error> {
        let built = self.versions();
        let picked = match wanted {
            Some(version) => built.iter().find(|built| *built == version),
            None => built.last(),
        };
        picked.cloned().ok_or_else(|| match wanted {
            Some(wanted) => Error::FindVersion {
                wanted: wanted.clone(),
                directory: self.directory.clone(),
                built: built.iter().map(ToString::to_string).collect(),
            },
            None => Error::FindDistribution { places: vec![self.directory.clone()] },
        })
    }

    /// The multi-call binary of a version.
    #[must_use]
    pub fn kubernetes(&self, version: &KubernetesVersion) -> PathBuf {
        self.directory.join("kubernetes").join(version.to_string()).join(PROGRAM)
    }

    /// A tool such as `helm` or `coredns`.
    pub fn tool(&self, name: &str) -> Result<PathBuf, Error> {
        let path = self.directory.join("tools").join(name);
        if path.is_file() { Ok(path) } else { Err(Error::FindTool { path }) }
    }

    /// A program of Flotilla itself, as it goes into an image.
    pub fn program(&self, name: &str) -> Result<PathBuf, Error> {
        let path = self.directory.join(name);
        if path.is_file() { Ok(path) } else { Err(Error::FindTool { path }) }
    }
}

fn beside_the_program() -> Vec<PathBuf> {
    const PARENTS: usize = 4;
    let Ok(program) = std::env::current_exe() else { return Vec::new() };
    let Some(directory) = program.parent() else { return Vec::new() };
    let mut places: Vec<PathBuf> =
        directory.ancestors().skip(1).take(PARENTS).map(|parent| parent.join("dist")).collect();
    places.insert(1.min(places.len()), directory.to_owned());
    places
}

#[cfg(test)]
mod tests {
    use super::{Distribution, PROGRAM};

    fn with_versions(versions: &[&str]) -> (tempfile::TempDir, Distribution) {
        let directory = tempfile::tempdir().unwrap();
        for version in versions {
            let path = directory.path().join("kubernetes").join(version);
            std::fs::create_dir_all(&path).unwrap();
            std::fs::write(path.join(PROGRAM), "").unwrap();
        }
        let distribution = Distribution::find(Some(directory.path())).unwrap();
        (directory, distribution)
    }

    #[test]
    fn the_newest_version_is_picked_by_number() {
        let (_directory, distribution) = with_versions(&["v1.36.3", "v1.36.10", "v1.35.4"]);
        assert_eq!(distribution.pick(None).unwrap().to_string(), "v1.36.10");
    }

    #[test]
    fn a_version_that_is_not_built_is_refused_with_what_is() {
        let (_directory, distribution) = with_versions(&["v1.36.3"]);
        let error = distribution.pick(Some(&"1.35.4".parse().unwrap())).unwrap_err().to_string();
        assert!(error.contains("v1.36.3"), "{error}");
        assert!(error.contains("cargo xtask build --kubernetes 1.35"), "{error}");
    }

    #[test]
    fn a_missing_directory_says_how_to_make_it() {
        let directory = tempfile::tempdir().unwrap();
        let error = Distribution::find(Some(directory.path())).unwrap_err().to_string();
        assert!(error.contains("cargo xtask build"), "{error}");
    }
}
