//! What was used, added up as it is asked for, page by page.

use jiff::civil::Date;
use sqlx::any::AnyRow;

use super::{Amounts, Metering};
use crate::RecordsError;
use crate::columns::{Columns as _, damaged};
use crate::statement::Statement;

/// Groups of the longest page.
const LONGEST_PAGE: u32 = 1000;

/// Which usage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageFilter {
    /// From this day on.
    pub from: Date,
    /// Up to this day, which is included.
    pub to: Date,
    /// Of these tenants; of all if `None`.
    pub tenants: Option<Vec<String>>,
    /// Of this cluster.
    pub cluster: Option<String>,
}

/// What is added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UsageGrouping {
    /// Nothing: each day of each cluster stands alone.
    #[default]
    None,
    /// Everything of a day.
    Day,
    /// Everything of a tenant.
    Tenant,
    /// All days of a cluster, for each tenant that it belonged to.
    Cluster,
}

impl UsageGrouping {
    fn columns(self) -> &'static [&'static str] {
        match self {
            Self::None => &["day", "tenant", "cluster"],
            Self::Day => &["day"],
            Self::Tenant => &["tenant"],
            Self::Cluster => &["tenant", "cluster"],
        }
    }
}

/// What was used together. What groups do not differ by is not told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageGroup {
    /// The day (UTC).
    pub day: Option<Date>,
    /// The tenant.
    pub tenant: Option<String>,
    /// The cluster.
    pub cluster: Option<String>,
    /// How much.
    pub amounts: Amounts,
}

impl UsageGroup {
    /// By which the next page is found: `day/tenant/cluster`, as far as the groups differ by them.
    #[must_use]
    pub fn cursor(&self) -> String {
        let day = self.day.map(|day| day.to_string());
        let parts: Vec<String> =
            [day, self.tenant.clone(), self.cluster.clone()].into_iter().flatten().collect();
        parts.join("/")
    }
}

impl Metering {
    /// At most `size` groups (1 to 1000), by day, tenant and cluster, after a cursor; and whether there are more.
    pub async fn usage(
        &self,
        filter: &UsageFilter,
        grouping: UsageGrouping,
        size: u32,
        after: Option<&str>,
    ) -> Result<(Vec<UsageGroup>, bool), RecordsError> {
        let size = size.clamp(1, LONGEST_PAGE);
        let after: Option<Vec<&str>> = after.map(|after| after.splitn(3, '/').collect());
        if after.as_ref().is_some_and(|parts| parts.len() != grouping.columns().len()) {
            return Err(RecordsError::Cursor);
        }
        let found = async {
            let rows = self.statement(filter, grouping, size, after)?.fetch(self.store.readers()).await?;
            rows.iter().map(|row| read(row, grouping)).collect::<sqlx::Result<Vec<_>>>()
        };
        let mut groups = self.store.run("read what was used", found).await?;
        let has_more = groups.len() > size as usize;
        groups.truncate(size as usize);
        Ok((groups, has_more))
    }

    fn statement(
        &self,
        filter: &UsageFilter,
        grouping: UsageGrouping,
        size: u32,
        after: Option<Vec<&str>>,
    ) -> sqlx::Result<Statement> {
        let columns = grouping.columns().join(", ");
        let sums = Amounts::COLUMNS.map(|column| format!("CAST(SUM({column}) AS BIGINT) AS {column}"));
        let mut query = Statement::new("SELECT ");
        query.push(&columns).push(", ").push(&sums.join(", ")).push(" FROM usage_by_day WHERE day >= ");
        let from = query.value(filter.from.to_string())?;
        let to = query.value(filter.to.to_string())?;
        query.push(&from).push(" AND day <= ").push(&to);
        let cluster = filter.cluster.as_ref().map(|cluster| vec![cluster.clone()]);
        for (column, list) in [("tenant", &filter.tenants), ("cluster", &cluster)] {
            let Some(list) = list else { continue };
            let condition = query.among(self.store.dialect(), column, list)?;
            query.push(" AND ").push(&condition);
        }
        if let Some(after) = after {
            let values: sqlx::Result<Vec<String>> =
                after.into_iter().map(|part| query.value(crate::text::storable(part).into_owned())).collect();
            query.push(" AND (").push(&columns).push(") > (").push(&values?.join(", ")).push(")");
        }
        let limit = query.value(i64::from(size) + 1)?;
        query
            .push(" GROUP BY ")
            .push(&columns)
            .push(" ORDER BY ")
            .push(&columns)
            .push(" LIMIT ")
            .push(&limit);
        Ok(query)
    }
}

fn read(row: &AnyRow, grouping: UsageGrouping) -> sqlx::Result<UsageGroup> {
    let text = |column| grouping.columns().contains(&column).then(|| row.text(column)).transpose();
    let day = text("day")?.map(|day| day.parse().map_err(|_| damaged("day"))).transpose()?;
    let mut values = [0; super::COUNT];
    for (value, column) in values.iter_mut().zip(Amounts::COLUMNS) {
        *value = row.number(column)?;
    }
    Ok(UsageGroup { day, tenant: text("tenant")?, cluster: text("cluster")?, amounts: Amounts::of(values) })
}
