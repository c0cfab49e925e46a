//! Who is who at identity providers.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use crate::RecordsError;
use crate::columns::Columns as _;
use crate::store::Store;
use crate::text::storable;

/// Somebody at a provider, and the user that they are here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The provider's name.
    pub provider: String,
    /// What the provider calls them, for ever.
    pub subject: String,
    /// Who they are here.
    pub user: String,
    /// When they were linked.
    pub created: Timestamp,
    /// When they last signed in this way.
    pub last_sign_in: Timestamp,
}

/// All links. A subject of a provider is one user; a user may have several.
#[derive(Clone)]
pub struct Links {
    store: Store,
}

impl Links {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }

    /// Links a subject to a user. True if they are linked now; false if the subject is somebody else, who stays.
    pub async fn link(
        &self,
        provider: &str,
        subject: &str,
        user: &str,
        now: Timestamp,
    ) -> Result<bool, RecordsError> {
        // Changes the row of this user only; of another one it changes none.
        let linked = sqlx::query(
            "INSERT INTO links (provider, subject, username, created, last_sign_in) VALUES ($1, $2, $3, $4, $4) \
             ON CONFLICT (provider, subject) DO UPDATE SET last_sign_in = excluded.last_sign_in \
             WHERE links.username = excluded.username",
        )
        .bind(storable(provider).into_owned())
        .bind(storable(subject).into_owned())
        .bind(storable(user).into_owned())
        .bind(now.as_microsecond())
        .execute(self.store.writers());
        Ok(self.store.run("link the user", linked).await?.rows_affected() > 0)
    }

    /// Who a subject is, noting that they sign in; nobody if they are not linked.
    pub async fn signed_in(
        &self,
        provider: &str,
        subject: &str,
        now: Timestamp,
    ) -> Result<Option<String>, RecordsError> {
        let signed_in = async {
            let row = sqlx::query(
                "UPDATE links SET last_sign_in = $3 WHERE provider = $1 AND subject = $2 RETURNING username",
            )
            .bind(storable(provider).into_owned())
            .bind(storable(subject).into_owned())
            .bind(now.as_microsecond())
            .fetch_optional(self.store.writers())
            .await?;
            row.map(|row| row.text("username")).transpose()
        };
        self.store.run("look up the linked user", signed_in).await
    }

    /// Those of a user.
    pub async fn of(&self, user: &str) -> Result<Vec<Link>, RecordsError> {
        let listed = async {
            let rows = sqlx::query("SELECT * FROM links WHERE username = $1 ORDER BY provider, subject")
                .bind(storable(user).into_owned())
                .fetch_all(self.store.readers())
                .await?;
            rows.iter().map(read).collect()
        };
        self.store.run("list the user's links", listed).await
    }

    /// Unlinks a subject from this user; another's is left. False if they were not linked.
    pub async fn unlink(&self, provider: &str, subject: &str, user: &str) -> Result<bool, RecordsError> {
        let unlinked =
            sqlx::query("DELETE FROM links WHERE provider = $1 AND subject = $2 AND username = $3")
                .bind(storable(provider).into_owned())
                .bind(storable(subject).into_owned())
                .bind(storable(user).into_owned())
                .execute(self.store.writers());
        Ok(self.store.run("unlink the user", unlinked).await?.rows_affected() > 0)
    }

    /// Who is linked to a provider, each once.
    pub async fn users_of(&self, provider: &str) -> Result<Vec<String>, RecordsError> {
        let listed = async {
            let rows =
                sqlx::query("SELECT DISTINCT username FROM links WHERE provider = $1 ORDER BY username")
                    .bind(storable(provider).into_owned())
                    .fetch_all(self.store.readers())
                    .await?;
            rows.iter().map(|row| row.text("username")).collect()
        };
        self.store.run("list the provider's users", listed).await
    }

    /// Unlinks everybody from a provider that is gone. How many there were.
    pub async fn unlink_provider(&self, provider: &str) -> Result<u64, RecordsError> {
        let unlinked = sqlx::query("DELETE FROM links WHERE provider = $1")
            .bind(storable(provider).into_owned())
            .execute(self.store.writers());
        Ok(self.store.run("unlink the provider", unlinked).await?.rows_affected())
    }

    /// Unlinks all of a user who is gone. How many there were.
    pub async fn unlink_all(&self, user: &str) -> Result<u64, RecordsError> {
        let unlinked = sqlx::query("DELETE FROM links WHERE username = $1")
            .bind(storable(user).into_owned())
            .execute(self.store.writers());
        Ok(self.store.run("unlink the user", unlinked).await?.rows_affected())
    }
}

fn read(row: &AnyRow) -> sqlx::Result<Link> {
    Ok(Link {
        provider: row.text("provider")?,
        subject: row.text("subject")?,
        user: row.text("username")?,
        created: row.time("created")?,
        last_sign_in: row.time("last_sign_in")?,
    })
}
