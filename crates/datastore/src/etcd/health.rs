//! What an etcd says about itself.

use etcd_client::{AlarmAction, AlarmType};

use super::{EtcdStore, REQUEST_TIMEOUT};
use crate::{Error, Health};

impl EtcdStore {
    /// Version, size and alarms, from a cluster that has a leader.
    pub async fn health(&self) -> Result<Health, Error> {
        self.check().await?;
        let mut maintenance = self.client.maintenance_client();
        let status = maintenance.status();
        let status = self.bounded("read the store's status", REQUEST_TIMEOUT, status).await?;
        let mut maintenance = self.client.maintenance_client();
        let alarms = maintenance.alarm(AlarmAction::Get, AlarmType::None, None);
        let alarms = self.bounded("read the store's alarms", REQUEST_TIMEOUT, alarms).await?;
        let size = |bytes: i64| u64::try_from(bytes).ok().filter(|bytes| *bytes > 0);
        let alarm =
            alarms.alarms().iter().map(etcd_client::AlarmMember::alarm).max_by_key(|kind| *kind as i32);
        Ok(Health {
            version: status.version().to_owned(),
            used: size(status.db_size()),
            // Told since etcd 3.6.
            limit: size(status.db_size_quota()),
            refuses_writes: match alarm {
                Some(AlarmType::Nospace) => Some("its quota is used up (alarm NOSPACE)".to_owned()),
                Some(AlarmType::Corrupt) => Some("its members differ (alarm CORRUPT)".to_owned()),
                _ => None,
            },
        })
    }
}
