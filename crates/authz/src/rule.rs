//! Rules and the requests that they match, as in Kubernetes' RBAC.

/// All verbs, groups, resources.
const ALL: &str = "*";
static EVERY_NAME: [String; 1] = [String::new()];

/// Whose objects a rule or request speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plane {
    /// The hub's own: tenants, clusters, roles, …
    Hub,
    /// Those inside clusters.
    Cluster,
}

/// What may be done with which objects. Without verbs, groups or resources it allows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule {
    /// Verbs, `*` for all.
    pub verbs: Vec<String>,
    /// API groups; the core group is empty, `*` stands for all.
    pub groups: Vec<String>,
    /// Resources, with `/` and the subresource if there is one; `*` stands for all of both, `*/scale` for a
    /// subresource of all.
    pub resources: Vec<String>,
    /// Names of objects; all if there are none.
    pub names: Vec<String>,
}

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// Whose objects.
    pub plane: Plane,
    /// Verb in lower case, such as `get`.
    pub verb: &'a str,
    /// API group, empty for the core group and for the hub's objects.
    pub group: &'a str,
    /// Resource, with `/` and the subresource if there is one.
    pub resource: &'a str,
    /// Name of the object; empty where the request has none, as for lists.
    pub name: &'a str,
}

impl<'a> Request<'a> {
    /// One about an object of the hub.
    #[must_use]
    pub fn hub(verb: &'a str, resource: &'a str, name: &'a str) -> Self {
        Self { plane: Plane::Hub, verb, group: "", resource, name }
    }

    /// One about an object inside a cluster.
    #[must_use]
    pub fn cluster(verb: &'a str, group: &'a str, resource: &'a str, name: &'a str) -> Self {
        Self { plane: Plane::Cluster, verb, group, resource, name }
    }
}

impl Rule {
    /// A rule over all objects of some resources of a group.
    #[must_use]
    pub fn new(group: &str, resources: &[&str], verbs: &[&str]) -> Self {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self { verbs: owned(verbs), groups: owned(&[group]), resources: owned(resources), names: Vec::new() }
    }

    /// Everything.
    #[must_use]
    pub fn everything() -> Self {
        Self::new(ALL, &[ALL], &[ALL])
    }

    /// Whether it allows a request of its plane.
    #[must_use]
    pub fn allows(&self, request: &Request<'_>) -> bool {
        has(&self.verbs, request.verb)
            && has(&self.groups, request.group)
            && self.resources.iter().any(|held| resource_matches(held, request.resource))
            && (self.names.is_empty() || self.names.iter().any(|name| name == request.name))
    }

    /// The parts of which it consists: one verb, group, resource and name each. No name stands for all names.
    pub(crate) fn parts(&self, plane: Plane) -> impl Iterator<Item = Request<'_>> {
        let names: &[String] = if self.names.is_empty() { &EVERY_NAME } else { &self.names };
        self.verbs.iter().flat_map(move |verb| {
            self.groups.iter().flat_map(move |group| {
                self.resources.iter().flat_map(move |resource| {
                    names.iter().map(move |name| Request { plane, verb, group, resource, name })
                })
            })
        })
    }

    /// Whether it allows all that a part of another rule allows.
    pub(crate) fn covers(&self, part: &Request<'_>) -> bool {
        has(&self.verbs, part.verb)
            && has(&self.groups, part.group)
            && self.resources.iter().any(|held| resource_matches(held, part.resource))
            && (self.names.is_empty()
                || (!part.name.is_empty() && self.names.iter().any(|name| name == part.name)))
    }
}

/// Whether words hold one, or all. The word `*` is held only by those that hold all.
fn has(held: &[String], wanted: &str) -> bool {
    held.iter().any(|word| word == ALL || word == wanted)
}

fn resource_matches(held: &str, wanted: &str) -> bool {
    let of_all = held.strip_prefix("*/").zip(wanted.split_once('/'));
    held == ALL || held == wanted || of_all.is_some_and(|(held, (_, wanted))| held == wanted)
}

#[cfg(test)]
mod tests {
    use super::{Plane, Request, Rule};

    #[test]
    fn verbs_groups_resources_and_names_must_all_match() {
        let rule =
            Rule { names: vec!["web".to_owned()], ..Rule::new("apps", &["deployments"], &["get", "watch"]) };
        assert!(rule.allows(&Request::cluster("get", "apps", "deployments", "web")));
        for other in [
            Request::cluster("list", "apps", "deployments", "web"),
            Request::cluster("get", "", "deployments", "web"),
            Request::cluster("get", "apps", "deployments/scale", "web"),
            Request::cluster("get", "apps", "deployments", "db"),
            Request::cluster("get", "apps", "deployments", ""),
        ] {
            assert!(!rule.allows(&other), "{other:?}");
        }
    }

    #[test]
    fn a_star_stands_for_all_and_a_subresource_of_all_can_be_named() {
        assert!(Rule::everything().allows(&Request::cluster("delete", "apps", "deployments/scale", "")));
        let scale = Rule::new("*", &["*/scale"], &["update"]);
        assert!(scale.allows(&Request::cluster("update", "apps", "deployments/scale", "web")));
        assert!(!scale.allows(&Request::cluster("update", "apps", "deployments/status", "web")));
        assert!(!scale.allows(&Request::cluster("update", "apps", "scale", "web")));
    }

    #[test]
    fn a_rule_without_words_allows_nothing() {
        assert!(!Rule::default().allows(&Request::cluster("", "", "", "")));
        assert_eq!(Rule::default().parts(Plane::Hub).count(), 0);
    }
}
