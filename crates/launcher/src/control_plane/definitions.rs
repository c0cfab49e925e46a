//! Custom resources that an API server serves from the start.

use std::path::Path;
use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, ApiResource, DynamicObject, ListParams, PostParams};
use kube::{Client, ResourceExt};
use tokio::time::Instant;

use crate::{Error, readiness};

const PATIENCE: Duration = Duration::from_mins(1);

/// Defines them and waits until all are served.
pub(super) async fn create(kubeconfig: &Path, definitions: &[CustomResourceDefinition]) -> Result<(), Error> {
    let client = readiness::client(kubeconfig).await.map_err(|reason| Error::Define { reason })?;
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    for definition in definitions {
        let made = api.create(&PostParams::default(), definition).await;
        made.map_err(|error| Error::Define { reason: error.to_string() })?;
    }
    for definition in definitions {
        wait_until_served(&client, definition).await?;
    }
    Ok(())
}

async fn wait_until_served(client: &Client, definition: &CustomResourceDefinition) -> Result<(), Error> {
    let deadline = Instant::now() + PATIENCE;
    let names = &definition.spec.names;
    for version in definition.spec.versions.iter().filter(|version| version.served) {
        let resource = ApiResource {
            group: definition.spec.group.clone(),
            version: version.name.clone(),
            api_version: format!("{}/{}", definition.spec.group, version.name),
            kind: names.kind.clone(),
            plural: names.plural.clone(),
        };
        let objects: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
        while let Err(error) = objects.list(&ListParams::default().limit(1)).await {
            if Instant::now() > deadline {
                let reason = format!("{} is not served: {error}", definition.name_any());
                return Err(Error::Define { reason });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    Ok(())
}
