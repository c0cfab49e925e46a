//! Who may do what: the tenants' users and roles.

use std::future::Future;
use std::time::Duration;

use etcd_client::{
    AuthClient, DeleteOptions, GetOptions, Permission, PermissionType, Txn, TxnOp, TxnOpResponse,
    UserAddOptions,
};

use super::range::{fence_key, key_range, place, range_end};
use super::{EtcdStore, REQUEST_TIMEOUT, ROOT, says};
use crate::{Access, Error, Password, TenantSpace};

/// Longest wait for taking a tenant's keys away.
const DELETE_TIMEOUT: Duration = Duration::from_secs(30);

fn permission(access: Access, range: &str) -> Permission {
    match access {
        Access::ReadWrite => Permission::read_write(range),
        Access::ReadOnly => Permission::read(range),
    }
    .with_range_end(range_end(range))
}

fn kind(access: Access) -> PermissionType {
    match access {
        Access::ReadWrite => PermissionType::Readwrite,
        Access::ReadOnly => PermissionType::Read,
    }
}

impl EtcdStore {
    /// Makes room for a tenant: a user that signs in by certificate, and a role with this access to
    /// `/<schema>/`. What is so already is left as it is. There is no password.
    ///
    /// etcd orders a change of access among all writes: what it acknowledged before is there, what comes
    /// after is refused, also on connections that were open.
    pub async fn ensure(&self, space: &TenantSpace, access: Access, _: &Password) -> Result<(), Error> {
        let range = place(space)?;
        let mut auth = self.client.auth_client();
        let role = auth.role_get(space.schema.as_str());
        let permitted = match self.bounded("read the tenant's role", REQUEST_TIMEOUT, role).await {
            Ok(role) => role.permissions().iter().any(|held| {
                held.key() == range.as_bytes()
                    && held.range_end() == range_end(&range).as_bytes()
                    && held.get_type() == kind(access) as i32
            }),
            Err(Error::Refused { source, .. }) if says(&source, "not found") => false,
            Err(error) => return Err(error),
        };
        if !permitted {
            let added = auth.role_add(space.schema.as_str());
            self.tolerating_existing("add the tenant's role", added).await?;
            // Of a range that the role has already, this changes what may be done with it.
            let granted = auth.role_grant_permission(space.schema.as_str(), permission(access, &range));
            self.bounded("grant the tenant's key range to its role", REQUEST_TIMEOUT, granted).await?;
        }
        self.ensure_user(&mut auth, space).await
    }

    /// How many keys a tenant has.
    pub async fn count(&self, space: &TenantSpace) -> Result<u64, Error> {
        let range = key_range(&space.schema)?;
        let all = GetOptions::new().with_range(range_end(&range)).with_count_only();
        let fence = GetOptions::new().with_count_only();
        let both = [TxnOp::get(range, Some(all)), TxnOp::get(fence_key(space)?, Some(fence))];
        let mut keys = self.keys();
        let counted = keys.txn(Txn::new().and_then(both));
        let answer = self.bounded("count the tenant's keys", DELETE_TIMEOUT, counted).await?;
        let mut counts = answer.op_responses().into_iter().map(|part| match part {
            TxnOpResponse::Get(part) => part.count(),
            _ => 0,
        });
        let (all, fence) = (counts.next().unwrap_or_default(), counts.next().unwrap_or_default());
        Ok((all - fence).try_into().unwrap_or_default())
    }

    /// Takes a tenant away: keys, user and role. What is gone already is no error.
    pub async fn remove(&self, space: &TenantSpace) -> Result<(), Error> {
        let range = place(space)?;
        let mut auth = self.client.auth_client();
        // The user first: a pod that still ends writes nothing behind the deletion of the keys.
        self.tolerating_absent("delete the tenant's user", auth.user_delete(space.user.as_str())).await?;
        let mut keys = self.keys();
        let end = range_end(&range);
        let deleted = keys.delete(range, Some(DeleteOptions::new().with_range(end)));
        self.bounded("delete the tenant's keys", DELETE_TIMEOUT, deleted).await?;
        self.tolerating_absent("delete the tenant's role", auth.role_delete(space.schema.as_str())).await
    }

    /// Switches authentication on, with a user `root` that signs in by certificate.
    pub async fn enable_authentication(&self) -> Result<(), Error> {
        let mut auth = self.client.auth_client();
        let user = auth.user_add(ROOT, "", Some(UserAddOptions::new().with_no_pwd()));
        self.tolerating_existing("add the root user", user).await?;
        self.tolerating_existing("add the root role", auth.role_add(ROOT)).await?;
        self.bounded("grant the root role", REQUEST_TIMEOUT, auth.user_grant_role(ROOT, ROOT)).await?;
        self.bounded("switch authentication on", REQUEST_TIMEOUT, auth.auth_enable()).await.map(|_| ())
    }

    async fn ensure_user(&self, auth: &mut AuthClient, space: &TenantSpace) -> Result<(), Error> {
        let user = auth.user_get(space.user.as_str());
        match self.bounded("read the tenant's user", REQUEST_TIMEOUT, user).await {
            Ok(user) if user.roles().contains(&space.schema) => return Ok(()),
            Err(Error::Refused { source, .. }) if says(&source, "not found") => {}
            other => other.map(|_| ())?,
        }
        let options = UserAddOptions::new().with_no_pwd();
        let added = auth.user_add(space.user.as_str(), "", Some(options));
        self.tolerating_existing("add the tenant's user", added).await?;
        let granted = auth.user_grant_role(space.user.as_str(), space.schema.as_str());
        self.bounded("give the tenant's role to its user", REQUEST_TIMEOUT, granted).await.map(|_| ())
    }

    async fn tolerating_existing<T>(
        &self,
        action: &'static str,
        request: impl Future<Output = Result<T, etcd_client::Error>>,
    ) -> Result<(), Error> {
        match self.bounded(action, REQUEST_TIMEOUT, request).await {
            Err(Error::Refused { source, .. }) if says(&source, "already exists") => Ok(()),
            other => other.map(|_| ()),
        }
    }

    async fn tolerating_absent<T>(
        &self,
        action: &'static str,
        request: impl Future<Output = Result<T, etcd_client::Error>>,
    ) -> Result<(), Error> {
        match self.bounded(action, REQUEST_TIMEOUT, request).await {
            Err(Error::Refused { source, .. }) if says(&source, "not found") => Ok(()),
            other => other.map(|_| ()),
        }
    }
}
