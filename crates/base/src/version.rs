//! Kubernetes versions as users write them: `v1.36.3` or `1.36.3`.

use std::fmt;
use std::str::FromStr;

/// A Kubernetes version; displays with the leading `v` that image tags carry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KubernetesVersion(semver::Version);

/// The text is not a version such as `v1.36.3`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a Kubernetes version; write it as `v1.36.3`")]
pub struct ParseVersionError {
    text: String,
}

impl KubernetesVersion {
    /// The minor number: 36 of `v1.36.3`.
    #[must_use]
    pub fn minor(&self) -> u64 {
        self.0.minor
    }

    /// The version without its leading `v`: `1.36.3`.
    #[must_use]
    pub fn bare(&self) -> String {
        self.0.to_string()
    }

    /// Major and minor number, by which kubeadm names its configuration: `1.36`.
    #[must_use]
    pub fn major_minor(&self) -> String {
        format!("{}.{}", self.0.major, self.0.minor)
    }
}

impl FromStr for KubernetesVersion {
    type Err = ParseVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bare = text.strip_prefix('v').unwrap_or(text);
        semver::Version::parse(bare)
            .ok()
            .filter(|version| version.major == 1)
            .map(Self)
            .ok_or_else(|| ParseVersionError { text: text.to_owned() })
    }
}

impl fmt::Display for KubernetesVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "v{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::KubernetesVersion;

    #[test]
    fn both_spellings_mean_the_same_version() {
        let with: KubernetesVersion = "v1.36.3".parse().unwrap();
        let without: KubernetesVersion = "1.36.3".parse().unwrap();
        assert_eq!(with, without);
        assert_eq!(without.to_string(), "v1.36.3");
        assert_eq!(without.major_minor(), "1.36");
    }

    #[test]
    fn what_is_no_version_is_refused_with_an_example() {
        for text in ["", "v", "1.36", "2.0.0", "latest", "v1.36.3 "] {
            let error = text.parse::<KubernetesVersion>().unwrap_err();
            assert!(error.to_string().contains("v1.36.3"), "{text}");
        }
    }

    #[test]
    fn patch_releases_are_ordered_by_number() {
        let older: KubernetesVersion = "1.36.9".parse().unwrap();
        let newer: KubernetesVersion = "1.36.10".parse().unwrap();
        assert!(older < newer);
    }
}
