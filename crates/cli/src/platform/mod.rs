//! The platform in a management cluster: the chart, a first tenant, and what to try next.

mod chart;
mod definitions;
mod first;
mod hub;
pub(crate) mod tenants;

use std::path::PathBuf;

use local::Cluster;

use crate::Error;
use crate::args::Up;
use crate::progress::Progress;
use first::Tenant;

/// Programs of the chart with their images.
const IMAGES: [(&str, &str); 3] = [
    ("operator", "docker.io/flotilla/operator:0.1.0"),
    ("tunnel", "docker.io/flotilla/tunnel:0.1.0"),
    ("server", "docker.io/flotilla/server:0.1.0"),
];

/// Into what the platform is installed, and with what.
pub(crate) struct Installation {
    /// All rights on the management cluster.
    pub(crate) kubeconfig: PathBuf,
    /// The chart's directory.
    chart: PathBuf,
    /// The helm program.
    helm: PathBuf,
    /// Values of the chart that differ from its defaults.
    values: Vec<String>,
    /// Kubernetes version of the first tenant; the management cluster's if left out.
    version: Option<String>,
    /// Where the tenants' kubeconfigs go.
    tenants: PathBuf,
    /// How the user calls kubectl.
    kubectl: String,
    /// Address of the hub, if it is installed.
    hub: Option<String>,
}

impl Installation {
    /// Where the first tenant's manifest is kept, to make others from.
    fn first_manifest(&self) -> PathBuf {
        self.tenants.join("first.json")
    }

    /// Where the authority of the hub's certificate is kept.
    fn hub_authority(&self) -> PathBuf {
        self.tenants.join("hub-ca.crt")
    }

    /// Into the local cluster. It has one disk, so one member of etcd is as good as three.
    pub(crate) fn local(cluster: &Cluster, args: &Up) -> Result<Self, Error> {
        let distribution = launcher::Distribution::find(Some(&cluster.record.distribution))?;
        let mut values =
            ["etcd.replicas=1", "tunnel.enabled=true", "tunnel.replicas=1"].map(str::to_owned).to_vec();
        // Load balancers get the first addresses; the last one is the hub's from the start, for its certificate and
        // kubeconfigs hold it.
        let address = cluster.record.addresses.load_balancers().hosts().last();
        let hub = address.map(|address| format!("https://{address}"));
        if let (Some(address), Some(url)) = (address, &hub) {
            values.extend([
                "server.enabled=true".to_owned(),
                "server.service.type=LoadBalancer".to_owned(),
                format!("server.service.loadBalancerIP={address}"),
                format!("server.url={url}"),
            ]);
        }
        // An image's tag stays the same when its program is built anew; this starts its pods again.
        for (program, image) in IMAGES {
            if let Some(digest) = local::image_digest(&cluster.layout, &distribution, image)? {
                values.push(format!("{program}.podAnnotations.flotilla\\.dev/image={digest}"));
            }
        }
        Ok(Self {
            kubeconfig: cluster.layout.admin_kubeconfig(),
            chart: chart::find(args.chart.as_deref())?,
            helm: distribution.tool("helm")?,
            values,
            version: Some(cluster.record.kubernetes.clone()),
            tenants: cluster.layout.tenants(),
            kubectl: cluster.layout.bin().join("kubectl").display().to_string(),
            hub,
        })
    }

    /// Into a cluster that exists.
    pub(crate) fn existing(kubeconfig: PathBuf, args: &Up) -> Result<Self, Error> {
        let distribution = launcher::Distribution::find(args.dist.as_deref())?;
        let directory = kubeconfig.parent().map(|parent| parent.join("tenants")).unwrap_or_default();
        Ok(Self {
            kubeconfig,
            chart: chart::find(args.chart.as_deref())?,
            helm: distribution.tool("helm")?,
            values: Vec::new(),
            version: None,
            tenants: args.target.dir.as_ref().map_or(directory, |dir| dir.join("tenants")),
            kubectl: "kubectl".to_owned(),
            hub: None,
        })
    }
}

/// Installs or updates the platform, creates the first tenant and waits until it is ready.
pub(crate) async fn install(installation: &Installation, progress: &mut Progress) -> Result<Tenant, Error> {
    let client = local::client(&installation.kubeconfig).await?;
    progress
        .step("apply the custom resource definitions", async |_| definitions::apply(&client).await)
        .await?;
    progress.step("install the platform with Helm", async |_| chart::install(installation).await).await?;
    progress
        .step("create the first tenant control plane", async |_| first::create(&client, installation).await)
        .await?;
    progress.step("wait until it is ready", async |detail| first::wait(&client, detail).await).await?;
    if installation.hub.is_some() {
        hub::fetch(&client, &installation.hub_authority()).await?;
    }
    first::fetch(&client, installation).await
}

/// What to do with a management cluster alone.
pub(crate) fn bare_greeting(cluster: &Cluster) -> String {
    let kubeconfig = cluster.layout.admin_kubeconfig();
    format!(
        "management cluster  {}\n\ntry next:\n  export KUBECONFIG={}\n  {} get pods --all-namespaces\n  flotilla status",
        kubeconfig.display(),
        kubeconfig.display(),
        cluster.layout.bin().join("kubectl").display(),
    )
}

/// What to do with a platform and its first tenant.
pub(crate) fn greeting(installation: &Installation, tenant: &Tenant) -> String {
    let (kubectl, tenant_config) = (&installation.kubectl, tenant.kubeconfig.display());
    let management = installation.kubeconfig.display();
    let hub = hub::greeting(installation);
    format!(
        "management cluster  {management}\ntenant `first`      {tenant_config}  ({})\n{hub}\ntry next:\n  \
         {kubectl} --kubeconfig {tenant_config} get namespaces\n  \
         {kubectl} --kubeconfig {tenant_config} create deployment web --image=nginx\n  \
         sed 's/\"first\"/\"second\"/' {} | {kubectl} --kubeconfig {management} create -f -",
        tenant.endpoint,
        installation.first_manifest().display(),
    )
}
