//! Tenants, projects, roles, grants, users, identity providers, templates and imported clusters: objects of the
//! management cluster, each read and written in the same way.

mod cluster;
mod grant;
mod identity_provider;
mod object;
mod project;
mod role;
mod settings;
mod template;
mod tenant;
mod user;

use std::fmt::Debug;

use aide::axum::ApiRouter;
use aide::axum::routing::get_with;
use api::{Cluster, Grant, IdentityProvider, Project, Role, Template, Tenant, User};
use authz::Place;
use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kube::api::{DeleteParams, PostParams, Preconditions};
use kube::core::ClusterResourceScope;
use kube::core::object::HasSpec;
use kube::runtime::reflector::{Lookup, ObjectRef, Store};
use kube::{Api, Resource, ResourceExt};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::caches::Caches;
use crate::caller::{Ask, Caller};
use crate::cluster_id::is_label;
use crate::extract::{Asked, Named, Sent};
use crate::hub::Hub;
use crate::problem::{Code, Problem};
use object::{ListQuery, NewObject, ObjectPage, ObjectShown, page};

/// A kind of object.
pub(crate) trait Noun:
    Resource<DynamicType = (), Scope = ClusterResourceScope>
    + Lookup<DynamicType = ()>
    + HasSpec<Spec: Clone + PartialEq + Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static>
    + Clone
    + Debug
    + Serialize
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
    /// Its name in paths and rules.
    const RESOURCE: &'static str;

    /// Where all of them are read.
    fn cache(caches: &Caches) -> &Store<Self>;
    /// Where one stands.
    fn place<'a>(name: &'a str, spec: &'a Self::Spec) -> Place<'a>;
    /// Where whoever makes one must have the right to.
    fn home<'a>(name: &'a str, spec: &'a Self::Spec) -> Place<'a> {
        Self::place(name, spec)
    }
    /// Whether those who may read such objects below where it stands may read this one.
    fn is_shared(_spec: &Self::Spec) -> bool {
        false
    }
    /// What else must be so.
    fn check(caller: &Caller, change: &Change<'_, Self>) -> impl Future<Output = Result<(), Problem>> + Send;
    /// What is to be done when one was made.
    fn made(_hub: &Hub, _name: &str) -> impl Future<Output = Result<(), Problem>> + Send {
        std::future::ready(Ok(()))
    }
    /// What is to be done when one was written anew.
    fn written(_hub: &Hub, _object: &Self) -> impl Future<Output = Result<(), Problem>> + Send {
        std::future::ready(Ok(()))
    }
    /// What is to be done when one is gone.
    fn gone(_hub: &Hub, _name: &str) -> impl Future<Output = Result<(), Problem>> + Send {
        std::future::ready(Ok(()))
    }
}

/// What is about to happen to an object.
pub(crate) enum Change<'a, N: Noun> {
    Create { name: &'a str, spec: &'a N::Spec },
    Replace { old: &'a N, spec: &'a N::Spec },
    Delete { old: &'a N },
}

/// The routes of all nouns.
pub(crate) fn routes() -> ApiRouter<Hub> {
    ApiRouter::new()
        .merge(of::<Tenant>("tenants", "tenant"))
        .merge(of::<Project>("projects", "project"))
        .merge(of::<Role>("roles", "role"))
        .merge(of::<Grant>("grants", "grant"))
        .merge(of::<User>("users", "user"))
        .merge(of::<Cluster>("imports", "imported cluster"))
        .merge(of::<IdentityProvider>("providers", "identity provider"))
        .merge(of::<Template>("templates", "template"))
        .merge(user::routes())
        .merge(identity_provider::routes())
        .merge(template::routes())
        .merge(settings::routes())
}

fn of<N: Noun>(path: &'static str, noun: &'static str) -> ApiRouter<Hub> {
    let many = get_with(list::<N>, move |operation| operation.summary(&format!("List {path}")).tag(path))
        .post_with(create::<N>, move |operation| {
            operation
                .summary(&format!("Make a {noun}"))
                .tag(path)
                .response::<201, Json<ObjectShown<N::Spec>>>()
        });
    let one = get_with(get::<N>, move |operation| {
        operation.summary(&format!("Read a {noun}")).tag(path).response::<200, Json<ObjectShown<N::Spec>>>()
    })
    .put_with(replace::<N>, move |operation| {
        operation
            .summary(&format!("Write a {noun} anew"))
            .description("With `If-Match` it is written only if it is as that ETag says.")
            .tag(path)
            .response::<200, Json<ObjectShown<N::Spec>>>()
    })
    .delete_with(delete::<N>, move |operation| {
        operation.summary(&format!("Delete a {noun}")).tag(path).response::<204, ()>()
    });
    ApiRouter::new()
        .api_route(&format!("/api/v1/{path}"), many)
        .api_route(&format!("/api/v1/{path}/{{name}}"), one)
}

async fn list<N: Noun>(
    caller: Caller,
    Asked(query): Asked<ListQuery>,
) -> Result<Json<ObjectPage<N::Spec>>, Problem> {
    let mut seen: Vec<_> = N::cache(&caller.hub.caches).state();
    seen.retain(|object| may_read(&caller, "list", &**object));
    page(seen.iter().map(AsRef::as_ref), &query).map(Json)
}

async fn get<N: Noun>(caller: Caller, Named(name): Named) -> Result<Response, Problem> {
    let object = readable::<N>(&caller, &name).await?;
    shown(StatusCode::OK, &*object)
}

async fn create<N: Noun>(caller: Caller, Sent(asked): Sent<NewObject<N::Spec>>) -> Result<Response, Problem> {
    if !is_label(&asked.name) {
        return Err(Problem::invalid(format!(
            "name: `{}` must have 1 to 63 small letters, digits and dashes, and begin and end with a letter or digit",
            asked.name
        )));
    }
    let place = N::home(&asked.name, &asked.spec);
    caller.require(&Ask { verb: "create", resource: N::RESOURCE, name: &asked.name, place }).await?;
    N::check(&caller, &Change::Create { name: &asked.name, spec: &asked.spec }).await?;
    let object: N = build(&asked)?;
    let api: Api<N> = Api::all(caller.hub.client.clone());
    let made = api.create(&PostParams::default(), &object).await?;
    N::made(&caller.hub, &made.name_any()).await?;
    settle(&caller.hub, &made).await;
    shown(StatusCode::CREATED, &made)
}

async fn replace<N: Noun>(
    caller: Caller,
    Named(name): Named,
    headers: HeaderMap,
    Sent(asked): Sent<NewObject<N::Spec>>,
) -> Result<Response, Problem> {
    if asked.name != name {
        return Err(Problem::invalid(format!("name: `{}` is not the `{name}` of the path", asked.name)));
    }
    let object = find::<N>(&caller, &name)?;
    require(&caller, "update", &*object).await?;
    heed_version(&headers, &*object)?;
    N::check(&caller, &Change::Replace { old: &object, spec: &asked.spec }).await?;
    let api: Api<N> = Api::all(caller.hub.client.clone());
    // The cache does not keep all annotations. What was decided about is what is written over.
    let mut live = api.get(&name).await?;
    if live.resource_version() != object.resource_version() {
        return Err(changed());
    }
    *live.spec_mut() = asked.spec;
    *live.labels_mut() = asked.labels;
    let written = api.replace(&name, &PostParams::default(), &live).await?;
    N::written(&caller.hub, &written).await?;
    settle(&caller.hub, &written).await;
    shown(StatusCode::OK, &written)
}

async fn delete<N: Noun>(
    caller: Caller,
    Named(name): Named,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let object = find::<N>(&caller, &name)?;
    require(&caller, "delete", &*object).await?;
    heed_version(&headers, &*object)?;
    N::check(&caller, &Change::Delete { old: &object }).await?;
    let api: Api<N> = Api::all(caller.hub.client.clone());
    // The one that was decided about, not another that has taken its name.
    let uid = object.meta().uid.clone();
    let preconditions = Some(Preconditions { uid, ..Preconditions::default() });
    let parameters = DeleteParams { preconditions, ..DeleteParams::default() };
    api.delete(&name, &parameters).await?;
    N::gone(&caller.hub, &name).await?;
    caller.hub.settled(N::cache(&caller.hub.caches), &name, None).await;
    Ok(StatusCode::NO_CONTENT)
}

/// One that is in the cache. Whether the caller may know of it is decided next.
fn find<N: Noun>(caller: &Caller, name: &str) -> Result<std::sync::Arc<N>, Problem> {
    let found = N::cache(&caller.hub.caches).get(&ObjectRef::new(name));
    found.ok_or_else(|| Problem::not_found(N::RESOURCE, name))
}

/// One that the caller may read.
pub(crate) async fn readable<N: Noun>(caller: &Caller, name: &str) -> Result<std::sync::Arc<N>, Problem> {
    let object = find::<N>(caller, name)?;
    if !may_read(caller, "get", &*object) {
        require(caller, "get", &*object).await?;
    }
    Ok(object)
}

/// Whether the caller may read one where it stands, or below if it is shared with those there.
fn may_read<N: Noun>(caller: &Caller, verb: &str, object: &N) -> bool {
    let name = object.name_any();
    let ask = Ask { verb, resource: N::RESOURCE, name: &name, place: N::place(&name, object.spec()) };
    caller.may(&ask) || (N::is_shared(object.spec()) && caller.may_below(&ask))
}

/// Whoever may not even read it gets the answer to one that is missing.
async fn require<N: Noun>(caller: &Caller, verb: &str, object: &N) -> Result<(), Problem> {
    let name = object.name_any();
    let ask = Ask { verb, resource: N::RESOURCE, name: &name, place: N::place(&name, object.spec()) };
    match caller.require(&ask).await {
        Err(problem) if !matches!(problem.code, Code::Denied | Code::NotFound) => Err(problem),
        Err(_) if !may_read(caller, "get", object) => Err(Problem::not_found(N::RESOURCE, &name)),
        // Where it stands is not for them to know, but it is shared with them.
        Err(problem) if problem.code == Code::NotFound => Err(Problem::denied(format!(
            "`{name}` is shared with you to be read and used; ask whoever shares it to {verb} it"
        ))),
        outcome => outcome,
    }
}

async fn settle<N: Noun>(hub: &Hub, object: &N) {
    let version = object.resource_version();
    hub.settled(N::cache(&hub.caches), &object.name_any(), Some(version.as_deref().unwrap_or_default()))
        .await;
}

fn shown<N: Noun>(status: StatusCode, object: &N) -> Result<Response, Problem> {
    let shown = ObjectShown::of(object)?;
    let tag = format!("\"{}\"", shown.version);
    Ok((status, [(header::ETAG, tag)], Json(shown)).into_response())
}

fn heed_version<N: Noun>(headers: &HeaderMap, object: &N) -> Result<(), Problem> {
    heed(headers, &object.resource_version().unwrap_or_default())
}

/// Whether what is written over is what was read.
fn heed(headers: &HeaderMap, version: &str) -> Result<(), Problem> {
    let Some(wanted) = headers.get(header::IF_MATCH) else { return Ok(()) };
    if wanted == "*" || wanted.to_str().is_ok_and(|wanted| wanted.trim_matches('"') == version) {
        return Ok(());
    }
    Err(changed())
}

fn changed() -> Problem {
    Problem::new(Code::Changed, "it was changed meanwhile; read it again and repeat your change")
}

/// An object as it is created.
fn build<N: Noun>(asked: &NewObject<N::Spec>) -> Result<N, Problem> {
    let object = json!({
        "apiVersion": <N as Resource>::api_version(&()),
        "kind": <N as Resource>::kind(&()),
        "metadata": { "name": asked.name, "labels": asked.labels },
        "spec": asked.spec,
    });
    serde_json::from_value(object).map_err(|error| Problem::internal(&error))
}
