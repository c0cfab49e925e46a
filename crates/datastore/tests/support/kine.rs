//! What an API server does to kine.

use etcd_client::{Client, Compare, CompareOp, GetOptions, PutOptions, Txn, TxnOp};

/// A client that speaks to kine as an API server does.
pub(crate) struct ApiServer(pub(crate) Client);

impl ApiServer {
    pub(crate) async fn of(kine: &launcher::Kine) -> Self {
        Self(Client::connect([kine.url()], None).await.unwrap())
    }

    /// Makes or changes an object; `lasting` is in seconds, 0 for ever.
    pub(crate) async fn put(
        &mut self,
        key: &str,
        value: impl Into<Vec<u8>>,
        lasting: i64,
    ) -> Result<i64, etcd_client::Error> {
        let key = format!("/registry/{key}");
        let known = self
            .0
            .get(key.as_str(), None)
            .await?
            .kvs()
            .first()
            .map_or(0, etcd_client::KeyValue::mod_revision);
        let lease = if lasting > 0 { self.0.lease_grant(lasting, None).await?.id() } else { 0 };
        let put = TxnOp::put(key.as_str(), value, Some(PutOptions::new().with_lease(lease)));
        let write =
            Txn::new().when([Compare::mod_revision(key.as_str(), CompareOp::Equal, known)]).and_then([put]);
        // A creation asks for nothing back.
        let write = if known == 0 { write } else { write.or_else([TxnOp::get(key.as_str(), None)]) };
        let done = self.0.txn(write).await?;
        assert!(done.succeeded(), "{key} was changed by another");
        Ok(done.header().unwrap().revision())
    }

    pub(crate) async fn delete(&mut self, key: &str) {
        let key = format!("/registry/{key}");
        let known = self.0.get(key.as_str(), None).await.unwrap().kvs()[0].mod_revision();
        let delete = Txn::new()
            .when([Compare::mod_revision(key.as_str(), CompareOp::Equal, known)])
            .and_then([TxnOp::delete(key.as_str(), None)])
            .or_else([TxnOp::get(key.as_str(), None)]);
        assert!(self.0.txn(delete).await.unwrap().succeeded(), "{key} was changed by another");
    }

    /// Keys and values as an API server lists them, but for kine's own.
    pub(crate) async fn list(&mut self) -> Vec<(String, Vec<u8>)> {
        let all = self.0.get("/registry/", Some(GetOptions::new().with_prefix())).await.unwrap();
        let named = all.kvs().iter().map(|entry| {
            let key = entry.key_str().unwrap().trim_start_matches("/registry/");
            (key.to_owned(), entry.value().to_vec())
        });
        named.filter(|(key, _)| key != "health").collect()
    }
}
