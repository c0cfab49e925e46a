//! What every reconcile may use.

use base::Clock;
use kube::Client;
use kube::runtime::events::Recorder;
use kubekit::Applier;

use crate::Settings;
use crate::caches::Caches;
use crate::copies::Copies;
use crate::hub::Hub;
use crate::metrics::Metrics;
use crate::places::Places;
use crate::routes::Routes;
use crate::secret_watches::SecretWatches;
use crate::start_gate::StartGate;
use crate::stores::Connections;
use crate::tenant::Sessions;
use crate::tunnel::Tunnel;

/// Shared by all reconciles of one process.
pub(crate) struct Context {
    pub(crate) client: Client,
    pub(crate) applier: Applier,
    pub(crate) caches: Caches,
    pub(crate) connections: Connections,
    pub(crate) copies: Copies,
    pub(crate) places: Places,
    pub(crate) secret_watches: SecretWatches,
    pub(crate) gate: StartGate,
    pub(crate) settings: Settings,
    pub(crate) recorder: Recorder,
    pub(crate) metrics: Metrics,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) sessions: Sessions,
    pub(crate) routes: Routes,
    pub(crate) tunnel: Tunnel,
    pub(crate) hub: Hub,
}
