//! Clusters made from templates: who may have one, and the control plane that comes of it.

use std::collections::BTreeMap;

use api::names::labels;
use api::new_cluster::platform_fields;
use api::templating::{choose, render};
use api::validation::Fault;
use api::{Template, TemplateVersion, TenantControlPlaneSpec};
use authz::Tree;
use kube::ResourceExt;
use serde_json::{Map, Value};

/// What comes of a template.
pub(crate) struct FromTemplate<'a> {
    pub(crate) version: &'a TemplateVersion,
    pub(crate) spec: TenantControlPlaneSpec,
    pub(crate) labels: BTreeMap<String, String>,
}

/// Makes a control plane, with labels that say from what.
///
/// # Errors
/// The version if there is no such one, all `parameters` that are wrong, or what is wrong with what comes of them.
pub(crate) fn make<'a>(
    template: &'a Template,
    version: Option<&str>,
    parameters: &Map<String, Value>,
) -> Result<FromTemplate<'a>, Vec<Fault>> {
    let version = choose(&template.spec, version).map_err(|fault| vec![fault])?;
    // Whoever wrote it past the hub and its admission gets no further.
    let beyond = template.spec.tenant.as_ref().map(|_| platform_fields(&version.control_plane));
    if let Some(beyond) = beyond.filter(|beyond| !beyond.is_empty()) {
        return Err(beyond);
    }
    let rendered = render(version, parameters)?;
    let mut own = rendered.labels;
    own.insert(labels::TEMPLATE.to_owned(), template.name_any());
    own.insert(labels::TEMPLATE_VERSION.to_owned(), version.version.clone());
    Ok(FromTemplate { version, spec: rendered.spec, labels: own })
}

/// Whether a tenant may have clusters of a template: its own, or one that is shared from above.
pub(crate) fn is_for(template: &Template, tenant: &str, tree: &Tree) -> bool {
    let spec = &template.spec;
    match spec.tenant.as_deref() {
        Some(own) if own == tenant => true,
        Some(own) => spec.share_down && tree.is_within(tenant, own),
        None => spec.share_down,
    }
}

#[cfg(test)]
mod tests {
    use api::{Template, TemplateSpec};
    use authz::Tree;
    use serde_json::{Map, json};

    use super::{is_for, make};

    fn template(spec: serde_json::Value) -> Template {
        Template::new("small", serde_json::from_value::<TemplateSpec>(spec).unwrap())
    }

    #[test]
    fn a_template_is_for_its_tenant_and_those_below_if_it_is_shared() {
        let mut tree = Tree::default();
        for (tenant, parent) in [("acme", None), ("acme-dev", Some("acme")), ("globex", None)] {
            tree.add_tenant(tenant, parent);
        }
        let whose = |tenant: Option<&str>, shared: bool| {
            let spec = json!({ "tenant": tenant, "shareDown": shared, "versions": [] });
            let template = template(spec);
            ["acme", "acme-dev", "globex"].map(|tenant| is_for(&template, tenant, &tree))
        };
        assert_eq!(whose(Some("acme"), true), [true, true, false]);
        assert_eq!(whose(Some("acme"), false), [true, false, false]);
        assert_eq!(whose(Some("acme-dev"), true), [false, true, false]);
        assert_eq!(whose(None, true), [true; 3]);
        assert_eq!(whose(None, false), [false; 3]);
    }

    #[test]
    fn what_a_tenant_wrote_past_admission_reaches_no_further() {
        let spec = |tenant: Option<&str>| {
            template(json!({ "tenant": tenant, "versions": [{ "version": "1", "controlPlane": {
                "kubernetes": { "version": "v1.36.3" },
                "controlPlane": { "deployment": { "serviceAccountName": "flotilla-operator" } },
            } }] }))
        };
        let refused = make(&spec(Some("acme")), None, &Map::new()).map(|_| ()).unwrap_err();
        assert!(refused[0].path.ends_with("deployment.serviceAccountName"), "{refused:?}");
        let platform = spec(None);
        let made = make(&platform, None, &Map::new()).map_err(drop).unwrap();
        assert_eq!(made.labels["flotilla.dev/template"], "small");
        assert_eq!(made.labels["flotilla.dev/template-version"], "1");
    }
}
