//! What of a verified identity the cluster gets to see.

/// Begins the names of users, as in hosted clusters. None is `flotilla:operator` or another of the platform's own.
const USERS: &str = "flotilla:user:";
/// Begin the names of the groups that the hub vouches for.
const GROUPS: [&str; 2] = ["flotilla:cluster:", "flotilla:project:"];
/// More groups than anybody has; each is a header.
const MOST_GROUPS: usize = 128;

/// As whom a request is made in the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asserted {
    /// `flotilla:user:` and the hub's name for the person or machine, so that it is never one of the cluster's own users.
    pub user: String,
    /// Those of roles in a cluster or a project; no others are ever asserted, above all none of `system:`.
    pub groups: Vec<String>,
}

/// As whom the bearer of an identity acts.
#[must_use]
pub fn assert(identity: authn::Identity) -> Asserted {
    let is_ours = |group: &String| {
        GROUPS.iter().any(|prefix| group.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty()))
    };
    let groups = identity.groups.into_iter().filter(is_ours).take(MOST_GROUPS).collect();
    Asserted { user: format!("{USERS}{}", identity.user), groups }
}

#[cfg(test)]
mod tests {
    use super::assert;

    #[test]
    fn only_groups_of_the_hub_are_asserted() {
        let groups = [
            "system:masters",
            "flotilla:cluster:admin",
            "flotilla:",
            "flotilla:cluster:",
            "flotilla:operator",
            "Flotilla:x",
            " flotilla:x",
            "system:flotilla:x",
            "",
            "cluster-admins",
        ];
        let identity = authn::Identity { user: "olga".to_owned(), groups: groups.map(str::to_owned).into() };
        let asserted = assert(identity);
        assert_eq!(asserted.user, "flotilla:user:olga");
        assert_eq!(asserted.groups, ["flotilla:cluster:admin"]);
    }

    #[test]
    fn no_user_is_one_of_the_clusters_own() {
        for user in ["system:admin", "system:serviceaccount:kube-system:default", "", "flotilla:operator"] {
            let asserted = assert(authn::Identity { user: user.to_owned(), groups: Vec::new() });
            assert_eq!(asserted.user, format!("flotilla:user:{user}"));
        }
    }
}
