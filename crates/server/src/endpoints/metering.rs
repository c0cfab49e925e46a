//! What tenants use: asked page by page, or exported as CSV.

mod csv;

use aide::axum::IntoApiResponse;
use aide::transform::TransformOperation;
use authz::Place;
use axum::Json;
use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::stream;
use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Span, ToSpan};
use records::{Amounts, RecordsError, UsageFilter, UsageGroup, UsageGrouping};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::caller::{Ask, Caller};
use crate::description::answers;
use crate::extract::{Asked, limit};
use crate::problem::Problem;
use crate::streamed;

const DEFAULT_LIMIT: u32 = 100;
const MOST: u32 = 1000;
/// Days that are told without `from`, beside the last one.
const DAYS_BEFORE: i64 = 29;
/// Days that may be asked about at once.
const MOST_DAYS: i32 = 366;

/// What is asked of the meters. Days are those of UTC.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct MeteringQuery {
    /// From this day on; 29 days before `to` without it.
    from: Option<Date>,
    /// Up to this day, which is included; today without it. At most 366 days.
    to: Option<Date>,
    /// Of this tenant and those below it; of all that you may see without it.
    tenant: Option<String>,
    /// Of this cluster.
    cluster: Option<String>,
    /// What is added up; without it each day of each cluster stands alone.
    group_by: Option<GroupBy>,
    /// How many, 1 to 1000; 100 without it.
    limit: Option<u32>,
    /// Where the page before ended: its `next`.
    after: Option<String>,
}

/// What is added up.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum GroupBy {
    /// All days of a tenant's clusters.
    Tenant,
    /// All days of a cluster.
    Cluster,
    /// All clusters of a day.
    Day,
}

/// A page of usage, by day, tenant and cluster.
#[derive(Serialize, JsonSchema)]
pub(crate) struct MeteringPage {
    /// The first day.
    from: Date,
    /// The last day.
    to: Date,
    /// Usage.
    items: Vec<Usage>,
    /// What `after` has to be for the next page, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// What was used. Amounts are whole numbers; divide seconds by 3600 for hours.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Usage {
    /// The day, unless days were added up.
    #[serde(skip_serializing_if = "Option::is_none")]
    day: Option<Date>,
    /// The tenant, unless tenants were added up.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
    /// The cluster, unless clusters were added up.
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<String>,
    /// Seconds that control planes were awake.
    control_plane_seconds: u64,
    /// Seconds of their pods.
    replica_seconds: u64,
    /// Thousandths of cores that control planes ask for, times seconds.
    cpu_millicore_seconds: u64,
    /// MiB that control planes ask for, times seconds.
    memory_mebibyte_seconds: u64,
    /// Seconds of nodes.
    node_seconds: u64,
    /// Thousandths of cores that nodes have, times seconds.
    node_cpu_millicore_seconds: u64,
    /// MiB that nodes have, times seconds.
    node_memory_mebibyte_seconds: u64,
    /// Requests through the hub.
    requests: u64,
}

impl From<UsageGroup> for Usage {
    fn from(group: UsageGroup) -> Self {
        let UsageGroup { day, tenant, cluster, amounts } = group;
        let Amounts {
            control_plane_seconds,
            replica_seconds,
            cpu_millicore_seconds,
            memory_mebibyte_seconds,
            node_seconds,
            node_cpu_millicore_seconds,
            node_memory_mebibyte_seconds,
            requests,
        } = amounts;
        Self {
            day,
            tenant,
            cluster,
            control_plane_seconds,
            replica_seconds,
            cpu_millicore_seconds,
            memory_mebibyte_seconds,
            node_seconds,
            node_cpu_millicore_seconds,
            node_memory_mebibyte_seconds,
            requests,
        }
    }
}

pub(crate) fn describe_list(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation.summary("What tenants and clusters use, by day").tag("metering")
}

/// A page of usage.
pub(crate) async fn list(
    caller: Caller,
    Asked(query): Asked<MeteringQuery>,
) -> Result<Json<MeteringPage>, Problem> {
    let limit = limit(query.limit, DEFAULT_LIMIT, MOST)?;
    let filter = filter(&caller, &query).await?;
    let metering = caller.hub.records.metering();
    let (groups, has_more) = metering.usage(&filter, grouping(&query), limit, query.after.as_deref()).await?;
    let next = groups.last().filter(|_| has_more).map(UsageGroup::cursor);
    let items = groups.into_iter().map(Usage::from).collect();
    Ok(Json(MeteringPage { from: filter.from, to: filter.to, items, next }))
}

pub(crate) fn describe_export(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let operation = operation
        .summary("What tenants and clusters use, as CSV")
        .description(
            "All that the query takes, with a line of names first; `limit` and `after` say nothing here.",
        )
        .tag("metering");
    answers(operation, "text/csv")
}

/// All usage that the query takes, read page by page while it is sent.
pub(crate) async fn export(
    caller: Caller,
    Asked(query): Asked<MeteringQuery>,
) -> Result<impl IntoApiResponse, Problem> {
    let filter = filter(&caller, &query).await?;
    let (metering, grouping) = (caller.hub.records.metering(), grouping(&query));
    let pages = stream::try_unfold(Some(None), move |state: Option<Option<String>>| {
        let (metering, filter) = (metering.clone(), filter.clone());
        async move {
            let Some(after) = state else { return Ok(None) };
            let page = metering.usage(&filter, grouping, MOST, after.as_deref()).await;
            let (groups, has_more) = page?;
            let heading = if after.is_none() { csv::heading() } else { String::new() };
            let next = groups.last().filter(|_| has_more).map(|last| Some(last.cursor()));
            let lines: String = [heading].into_iter().chain(groups.iter().map(csv::line)).collect();
            Ok::<_, RecordsError>(Some((lines, next)))
        }
    });
    let body = Body::from_stream(streamed::begun(pages).await?);
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"usage.csv\""),
    ];
    Ok::<Response, _>((headers, body).into_response())
}

fn grouping(query: &MeteringQuery) -> UsageGrouping {
    match query.group_by {
        None => UsageGrouping::None,
        Some(GroupBy::Tenant) => UsageGrouping::Tenant,
        Some(GroupBy::Cluster) => UsageGrouping::Cluster,
        Some(GroupBy::Day) => UsageGrouping::Day,
    }
}

/// Whoever may read the meters at a tenant sees what it and those below it use.
async fn filter(caller: &Caller, query: &MeteringQuery) -> Result<UsageFilter, Problem> {
    let (from, to) = days(query, Offset::UTC.to_datetime(caller.hub.now()).date())?;
    let tree = caller.snapshot.policy.tree();
    let tenants = match &query.tenant {
        Some(tenant) => {
            caller.require(&at(Place::Tenant(tenant))).await?;
            // What one used that is gone is told under its name.
            let below = names(caller).filter(|own| own != tenant && tree.is_within(own, tenant));
            Some(below.chain([tenant.clone()]).collect())
        }
        None if caller.may(&at(Place::Platform)) => None,
        None => {
            let seen: Vec<String> = names(caller).filter(|own| caller.may(&at(Place::Tenant(own)))).collect();
            if seen.is_empty() {
                caller.require(&at(Place::Platform)).await?;
            }
            Some(seen)
        }
    };
    Ok(UsageFilter { from, to, tenants, cluster: query.cluster.clone() })
}

fn days(query: &MeteringQuery, today: Date) -> Result<(Date, Date), Problem> {
    let wrong = |_| Problem::invalid("from, to: the days are too far away");
    let to = query.to.unwrap_or(today);
    let from = match query.from {
        Some(from) => from,
        None => to.checked_sub(DAYS_BEFORE.days()).map_err(wrong)?,
    };
    let between: Span = from.until(to).map_err(wrong)?;
    if !(0..MOST_DAYS).contains(&between.get_days()) {
        return Err(Problem::invalid(format!(
            "from, to: `{from}` to `{to}` are not 1 to {MOST_DAYS} days; ask for less at once"
        )));
    }
    Ok((from, to))
}

fn at(place: Place<'_>) -> Ask<'_> {
    Ask { verb: "list", resource: "metering", name: "", place }
}

fn names(caller: &Caller) -> impl Iterator<Item = String> {
    caller.hub.caches.tenants.state().into_iter().filter_map(|tenant| tenant.metadata.name.clone())
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, date};

    use super::{MeteringQuery, days};

    #[test]
    fn a_month_is_told_without_days_and_no_more_than_a_year_with_them() {
        let of = |from: Option<Date>, to: Option<Date>| {
            days(&MeteringQuery { from, to, ..MeteringQuery::default() }, date(2026, 11, 29)).ok()
        };
        assert_eq!(of(None, None), Some((date(2026, 10, 31), date(2026, 11, 29))));
        assert_eq!(of(Some(date(2025, 11, 29)), None), Some((date(2025, 11, 29), date(2026, 11, 29))));
        assert_eq!(of(Some(date(2025, 11, 28)), None), None);
        assert_eq!(of(Some(date(2026, 11, 30)), None), None);
        assert_eq!(of(None, Some(Date::MIN)), None);
        assert_eq!(of(Some(Date::MIN), Some(Date::MAX)), None);
    }
}
