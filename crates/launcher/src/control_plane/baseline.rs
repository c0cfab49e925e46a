//! What stands in etcd when a control plane is new, and putting it back to that beside a running API server, which
//! learns of it as of any change of somebody else.

use std::collections::BTreeMap;
use std::time::Duration;

use etcd_client::{Certificate, Client, ConnectOptions, GetOptions, Identity, KvClient, TlsOptions};
use tokio::time::Instant;

use super::place::Place;
use crate::Error;

/// Where the API server keeps objects.
const OBJECTS: &str = "/registry/";
/// Before the keys of the copies.
const COPIES: &str = "/baseline";
/// What an API server renews all the time.
const RENEWED: [&str; 3] =
    ["/registry/masterleases/", "/registry/leases/kube-system/apiserver-", "/registry/peerserverleases/"];
/// What an API server keeps to for a while after it is gone.
const REMEMBERED: [&str; 2] = ["/registry/validatingadmissionpolic", "/registry/mutatingadmissionpolic"];
/// What an API server makes when it starts, shortly after it says that it is ready.
const MADE: [&str; 6] = [
    "/registry/namespaces/default",
    "/registry/namespaces/kube-node-lease",
    "/registry/namespaces/kube-public",
    "/registry/namespaces/kube-system",
    "/registry/services/specs/default/kubernetes",
    "/registry/configmaps/kube-system/extension-apiserver-authentication",
];
/// After so long without a change all is made.
const QUIET: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_mins(1);
/// Time for the API server to hear of what was put back, and for a request of the last test to end.
const ECHO: Duration = Duration::from_millis(150);

/// Keys, and the revision of the last change of each.
type Revisions = BTreeMap<Vec<u8>, i64>;

/// Remembers how things are once the API server has made what it makes.
pub(super) async fn remember(place: &Place) -> Result<(), Error> {
    let mut store = connect(place).await?;
    for key in wait_for_rest(&mut store).await?.into_keys() {
        copy(&mut store, &key, &copy_of(&key)).await?;
    }
    Ok(())
}

async fn wait_for_rest(store: &mut KvClient) -> Result<Revisions, Error> {
    let deadline = Instant::now() + PATIENCE;
    let mut objects = revisions(store, OBJECTS).await?;
    let mut since = Instant::now();
    while since.elapsed() < QUIET {
        tokio::time::sleep(QUIET / 5).await;
        let now = revisions(store, OBJECTS).await?;
        let missing = MADE.iter().find(|key| !now.contains_key(key.as_bytes())).map(|key| (*key).to_owned());
        let changed = now.iter().find(|(key, revision)| objects.get(*key) != Some(revision));
        let unrest = missing.or_else(|| changed.map(|(key, _)| String::from_utf8_lossy(key).into_owned()));
        if let Some(unrest) = unrest {
            if Instant::now() > deadline {
                return Err(failed(format!("the API server did not come to rest: {unrest}")));
            }
            (objects, since) = (now, Instant::now());
        }
    }
    Ok(objects)
}

/// Puts things back until nothing differs. Fails where the API server would not notice at once.
pub(super) async fn restore(place: &Place) -> Result<(), Error> {
    let mut store = connect(place).await?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (copies, objects) = (revisions(&mut store, COPIES).await?, revisions(&mut store, OBJECTS).await?);
        let (came, changed) = differences(&copies, &objects);
        if let Some(key) = came.iter().find(|key| is_under(key, &REMEMBERED)) {
            return Err(failed(format!("{} is remembered", String::from_utf8_lossy(key))));
        }
        let Some(key) = came.first().or(changed.first()) else { return Ok(()) };
        if Instant::now() > deadline {
            return Err(failed(format!("somebody goes on changing {}", String::from_utf8_lossy(key))));
        }
        for key in &came {
            store.delete(key.clone(), None).await?;
        }
        for key in &changed {
            let kept = copy_of(key);
            copy(&mut store, &kept, key).await?;
            // The copy is the newer one again.
            copy(&mut store, &kept, &kept).await?;
        }
        tokio::time::sleep(ECHO).await;
    }
}

fn copy_of(key: &[u8]) -> Vec<u8> {
    [COPIES.as_bytes(), key].concat()
}

/// Keys that are not to be there, and those whose object is away or newer than its copy.
fn differences(copies: &Revisions, objects: &Revisions) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let came = objects.keys().filter(|key| !copies.contains_key(&copy_of(key))).cloned().collect();
    let originals = copies.iter().map(|(key, revision)| (&key[COPIES.len()..], revision));
    let changed = originals.filter(|(key, copied)| objects.get(*key).is_none_or(|changed| changed > *copied));
    (came, changed.map(|(key, _)| key.to_vec()).collect())
}

async fn copy(store: &mut KvClient, from: &[u8], to: &[u8]) -> Result<(), Error> {
    let found = store.get(from, None).await?;
    let value = found.kvs().first().map(|pair| pair.value().to_vec());
    let value = value.ok_or_else(|| failed(format!("{} is away", String::from_utf8_lossy(from))))?;
    store.put(to, value, None).await?;
    Ok(())
}

async fn revisions(store: &mut KvClient, prefix: &str) -> Result<Revisions, Error> {
    let options = GetOptions::new().with_prefix().with_keys_only();
    let answer = store.get(prefix, Some(options)).await?;
    let pairs = answer.kvs().iter().filter(|pair| !is_under(pair.key(), &RENEWED));
    Ok(pairs.map(|pair| (pair.key().to_vec(), pair.mod_revision())).collect())
}

fn is_under(key: &[u8], prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| key.starts_with(prefix.as_bytes()))
}

async fn connect(place: &Place) -> Result<KvClient, Error> {
    let read = |name: &str| {
        let path = place.pki().join(name);
        std::fs::read(&path).map_err(Error::file("read", path))
    };
    let identity = Identity::from_pem(read("apiserver-etcd-client.crt")?, read("apiserver-etcd-client.key")?);
    let tls =
        TlsOptions::new().ca_certificate(Certificate::from_pem(read("etcd-ca.crt")?)).identity(identity);
    let options = ConnectOptions::new().with_tls(tls).with_connect_timeout(Duration::from_secs(5));
    let client = Client::connect([&place.etcd], Some(options)).await?;
    Ok(client.kv_client())
}

fn failed(reason: String) -> Error {
    Error::Restore { reason }
}

#[cfg(test)]
mod tests {
    use super::{Revisions, differences};

    fn revisions(pairs: &[(&str, i64)]) -> Revisions {
        pairs.iter().map(|(key, revision)| (key.as_bytes().to_vec(), *revision)).collect()
    }

    #[test]
    fn what_came_goes_and_what_was_changed_or_taken_comes_back() {
        let copies = revisions(&[("/baseline/kept", 5), ("/baseline/changed", 6), ("/baseline/taken", 7)]);
        let objects = revisions(&[("/kept", 1), ("/changed", 8), ("/came", 9)]);
        let (came, changed) = differences(&copies, &objects);
        assert_eq!(came, [b"/came".to_vec()]);
        assert_eq!(changed, [b"/changed".to_vec(), b"/taken".to_vec()]);
        let restored = revisions(&[("/kept", 1), ("/changed", 2), ("/taken", 3)]);
        assert_eq!(differences(&copies, &restored), (Vec::new(), Vec::new()));
    }
}
