//! Decisions over a small world, and properties over random ones.

use authz::{Grant, Place, Plane, Policy, Request, Role, Rule, Scope, Subject, Tree, Who, builtin_roles};
use proptest::prelude::*;

fn tree() -> Tree {
    let mut tree = Tree::default();
    tree.add_tenant("acme", None);
    tree.add_tenant("acme-dev", Some("acme"));
    tree.add_tenant("globex", None);
    tree.add_cluster("c-prod", "acme");
    tree.add_cluster("c-dev", "acme-dev");
    tree.add_cluster("c-globex", "globex");
    tree.add_project("p-shop", "acme-dev");
    tree.add_namespace("c-dev", "shop", "p-shop");
    tree
}

fn grant(who: Who, role: &str, scope: Scope) -> Grant {
    Grant { name: format!("{who:?}-{role}-{scope:?}"), who, role: role.to_owned(), scope }
}

fn user(name: &str) -> Who {
    Who::User(name.to_owned())
}

fn subject(user: &str, groups: &[&str]) -> Subject {
    Subject { user: user.to_owned(), groups: groups.iter().map(|&group| group.to_owned()).collect() }
}

fn tenant(name: &str) -> Scope {
    Scope::Tenant(name.to_owned())
}

fn policy() -> Policy {
    let grants = [
        grant(user("root"), "platform-admin", Scope::Platform),
        grant(user("olga"), "tenant-owner", tenant("acme")),
        grant(Who::Group("shoppers".to_owned()), "project-member", Scope::Project("p-shop".to_owned())),
        grant(user("vera"), "read-only", Scope::Cluster("c-prod".to_owned())),
        grant(user("gus"), "tenant-owner", tenant("globex")),
        grant(user("lost"), "no-such-role", Scope::Platform),
    ];
    Policy::new(tree(), builtin_roles(), grants)
}

fn may(who: &Subject, request: Request<'_>, place: Place<'_>) -> bool {
    policy().may(who, &request, place).is_allowed()
}

#[test]
fn where_somebody_is_allowed_something_is_told_by_scope() {
    let policy = policy();
    let at = |who: &Subject, verb: &str, resource: &str| -> Vec<Scope> {
        policy.allowed_at(who, &Request::hub(verb, resource, "")).cloned().collect()
    };
    assert_eq!(at(&subject("olga", &[]), "create", "templates"), [tenant("acme")]);
    assert_eq!(at(&subject("vera", &[]), "list", "templates"), [Scope::Cluster("c-prod".to_owned())]);
    assert_eq!(at(&subject("vera", &[]), "create", "templates"), []);
    assert_eq!(at(&subject("root", &["shoppers"]), "list", "templates"), [Scope::Platform]);
    assert_eq!(at(&subject("lost", &["shoppers"]), "list", "templates"), []);
}

#[test]
fn a_decision_names_the_grant_and_the_role() {
    let policy = policy();
    let olga = subject("olga", &[]);
    let request = Request::cluster("delete", "apps", "deployments", "web");
    let authz::Decision::Allowed(holding) = policy.may(&olga, &request, Place::Namespace("c-dev", "shop"))
    else {
        panic!("denied");
    };
    assert_eq!((holding.role.name.as_str(), &holding.grant.scope), ("tenant-owner", &tenant("acme")));
}

#[test]
fn rights_end_at_the_border_of_the_tenant() {
    let olga = subject("olga", &[]);
    for place in
        [Place::Platform, Place::Tenant("globex"), Place::Cluster("c-globex"), Place::Cluster("c-nowhere")]
    {
        assert!(!may(&olga, Request::hub("get", "clusters", ""), place), "{place:?}");
    }
    assert!(may(&olga, Request::hub("get", "clusters", ""), Place::Cluster("c-dev")));
}

#[test]
fn a_tenant_owner_changes_no_quota_and_reads_no_platform() {
    let olga = subject("olga", &[]);
    assert!(may(&olga, Request::hub("update", "tenants", "acme"), Place::Tenant("acme")));
    assert!(!may(&olga, Request::hub("update", "tenants/quota", "acme"), Place::Tenant("acme")));
    assert!(may(
        &subject("root", &[]),
        Request::hub("update", "tenants/quota", "acme"),
        Place::Tenant("acme")
    ));
}

#[test]
fn members_of_a_project_work_in_its_namespaces_only() {
    let sam = subject("sam", &["shoppers"]);
    let create = Request::cluster("create", "", "pods", "");
    assert!(may(&sam, create, Place::Namespace("c-dev", "shop")));
    assert!(!may(&sam, create, Place::Namespace("c-dev", "other")));
    assert!(!may(&sam, create, Place::Cluster("c-dev")));
    assert!(!may(
        &sam,
        Request::cluster("create", "rbac.authorization.k8s.io", "roles", ""),
        Place::Namespace("c-dev", "shop")
    ));
}

#[test]
fn readers_see_no_secrets_and_run_nothing() {
    let vera = subject("vera", &[]);
    let place = Place::Namespace("c-prod", "any");
    assert!(may(&vera, Request::cluster("get", "", "pods/log", "web"), place));
    for request in [
        Request::cluster("get", "", "secrets", "key"),
        Request::cluster("create", "", "pods/exec", "web"),
        Request::cluster("delete", "apps", "deployments", "web"),
    ] {
        assert!(!may(&vera, request, place), "{request:?}");
    }
}

#[test]
fn those_who_hold_something_somewhere_are_its_members_by_grants_there_and_above() {
    let policy = policy();
    let roles = |place| {
        let mut roles: Vec<&str> =
            policy.members(place).iter().map(|holding| holding.grant.role.as_str()).collect();
        roles.sort_unstable();
        roles
    };
    assert_eq!(roles(Place::Project("p-shop")), ["platform-admin", "project-member", "tenant-owner"]);
    assert_eq!(roles(Place::Cluster("c-prod")), ["platform-admin", "read-only", "tenant-owner"]);
    assert_eq!(roles(Place::Tenant("globex")), ["platform-admin", "tenant-owner"]);
}

#[test]
fn members_of_a_project_read_its_quota_and_none_changes_it() {
    let names = ["project-owner", "project-member", "read-only"];
    let roles: Vec<Role> =
        builtin_roles().into_iter().filter(|role| names.contains(&role.name.as_str())).collect();
    assert_eq!(roles.len(), names.len());
    for role in roles {
        let allows = |verb| {
            let request = Request::cluster(verb, "", "resourcequotas", "flotilla-project");
            role.rules(Plane::Cluster).iter().any(|rule| rule.allows(&request))
        };
        assert!(allows("get"), "{}", role.name);
        for verb in ["create", "update", "patch", "delete", "deletecollection"] {
            assert!(!allows(verb), "{} may {verb}", role.name);
        }
    }
}

#[test]
fn what_is_not_held_cannot_be_given() {
    let policy = policy();
    let [olga, root, vera] = ["olga", "root", "vera"].map(|name| subject(name, &[]));
    let role = |name: &str| policy.role(name).unwrap().clone();
    for name in ["tenant-owner", "cluster-owner", "project-owner", "project-member", "read-only"] {
        assert_eq!(policy.may_grant(&olga, &role(name), &tenant("acme-dev")), Ok(()), "{name}");
        assert!(policy.may_grant(&olga, &role(name), &tenant("globex")).is_err(), "{name}");
        assert!(policy.may_grant(&vera, &role(name), &Scope::Platform).is_err(), "{name}");
    }
    let admin = role("platform-admin");
    assert!(policy.may_grant(&olga, &admin, &tenant("acme")).is_err());
    assert_eq!(policy.may_grant(&root, &admin, &Scope::Platform), Ok(()));
    let quota = Role {
        name: "q".to_owned(),
        hub: vec![Rule::new("", &["tenants/quota"], &["update"])],
        cluster: Vec::new(),
    };
    let lacking = policy.may_grant(&olga, &quota, &tenant("acme")).unwrap_err();
    assert_eq!(lacking, Request::hub("update", "tenants/quota", ""));
}

#[test]
fn a_cluster_knows_people_by_groups_of_role_and_project() {
    let policy = policy();
    let groups =
        |who: &Subject, cluster: &str| policy.cluster_groups(who, cluster).into_iter().collect::<Vec<_>>();
    assert_eq!(groups(&subject("olga", &[]), "c-dev"), ["flotilla:cluster:tenant-owner"]);
    assert_eq!(groups(&subject("sam", &["shoppers"]), "c-dev"), ["flotilla:project:p-shop:project-member"]);
    assert!(groups(&subject("sam", &["shoppers"]), "c-prod").is_empty());
    assert!(groups(&subject("gus", &[]), "c-dev").is_empty());
}

#[test]
fn nobody_sees_what_they_hold_nothing_in() {
    let policy = policy();
    let [olga, gus, nobody] = ["olga", "gus", "nobody"].map(|name| subject(name, &[]));
    let sam = subject("sam", &["shoppers"]);
    for (who, place, sees) in [
        (&olga, Place::Tenant("acme-dev"), true),
        (&olga, Place::Tenant("globex"), false),
        (&gus, Place::Cluster("c-prod"), false),
        (&sam, Place::Tenant("acme-dev"), true),
        (&sam, Place::Cluster("c-dev"), true),
        (&sam, Place::Cluster("c-prod"), false),
        (&nobody, Place::Platform, false),
        (&subject("lost", &[]), Place::Platform, false),
    ] {
        assert_eq!(policy.sees(who, place), sees, "{who:?} {place:?}");
    }
}

fn scopes() -> impl Strategy<Value = Scope> {
    prop_oneof![
        Just(Scope::Platform),
        "(acme|acme-dev|globex)".prop_map(Scope::Tenant),
        "(c-prod|c-dev|c-globex)".prop_map(Scope::Cluster),
        Just(Scope::Project("p-shop".to_owned())),
    ]
}

fn grants() -> impl Strategy<Value = Vec<Grant>> {
    let roles = prop::sample::select(builtin_roles().into_iter().map(|role| role.name).collect::<Vec<_>>());
    let one = (roles, scopes(), "(ann|bob)").prop_map(|(role, scope, name)| grant(user(&name), &role, scope));
    prop::collection::vec(one, 0..6)
}

const REQUESTS: [Request<'static>; 5] = [
    Request { plane: authz::Plane::Hub, verb: "create", group: "", resource: "grants", name: "" },
    Request { plane: authz::Plane::Hub, verb: "connect", group: "", resource: "clusters", name: "c-dev" },
    Request { plane: authz::Plane::Cluster, verb: "get", group: "", resource: "secrets", name: "s" },
    Request { plane: authz::Plane::Cluster, verb: "list", group: "apps", resource: "deployments", name: "" },
    Request {
        plane: authz::Plane::Cluster,
        verb: "escalate",
        group: "rbac.authorization.k8s.io",
        resource: "roles",
        name: "",
    },
];

const PLACES: [Place<'static>; 6] = [
    Place::Platform,
    Place::Tenant("acme"),
    Place::Cluster("c-dev"),
    Place::Cluster("c-globex"),
    Place::Namespace("c-dev", "shop"),
    Place::Namespace("c-dev", "other"),
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Taking a grant away never allows more.
    #[test]
    fn fewer_grants_allow_no_more(grants in grants(), taken in 0_usize..6) {
        let all = Policy::new(tree(), builtin_roles(), grants.clone());
        let mut fewer = grants;
        if taken < fewer.len() {
            fewer.remove(taken);
        }
        let fewer = Policy::new(tree(), builtin_roles(), fewer);
        let ann = subject("ann", &[]);
        for request in &REQUESTS {
            for place in PLACES {
                prop_assert!(!fewer.may(&ann, request, place).is_allowed() || all.may(&ann, request, place).is_allowed());
            }
        }
    }

    /// Whoever gives a role opens nothing that they could not do themselves.
    #[test]
    fn giving_opens_nothing_that_the_giver_lacks(grants in grants(), scope in scopes(), role in 0_usize..7) {
        let policy = Policy::new(tree(), builtin_roles(), grants.clone());
        let role = builtin_roles().swap_remove(role);
        let ann = subject("ann", &[]);
        if policy.may_grant(&ann, &role, &scope).is_err() {
            return Ok(());
        }
        let given = grant(user("eve"), &role.name, scope);
        let after = Policy::new(tree(), builtin_roles(), grants.into_iter().chain([given]));
        for request in &REQUESTS {
            for place in PLACES {
                prop_assert!(
                    !after.may(&subject("eve", &[]), request, place).is_allowed()
                        || after.may(&ann, request, place).is_allowed()
                );
            }
        }
    }

    /// What the walk up the tree finds is what each scope says of itself.
    #[test]
    fn the_index_agrees_with_the_scopes(grants in grants()) {
        let policy = Policy::new(tree(), builtin_roles(), grants.clone());
        let ann = subject("ann", &[]);
        for place in PLACES {
            let mut found: Vec<&str> = policy.holdings(&ann, place).map(|holding| holding.grant.name.as_str()).collect();
            let mut wanted: Vec<&str> = grants
                .iter()
                .filter(|grant| grant.who == user("ann") && policy.tree().holds(&grant.scope, place))
                .map(|grant| grant.name.as_str())
                .collect();
            found.sort_unstable();
            wanted.sort_unstable();
            prop_assert_eq!(found, wanted);
        }
    }
}
