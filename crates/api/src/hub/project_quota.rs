//! What each namespace of a project may use at most: names and amounts as a Kubernetes `ResourceQuota` has them.

use std::collections::BTreeMap;

use base::quantity::{thousandths, units};

/// Amounts of processors, which may be parts of one.
const CPU: [&str; 3] = ["cpu", "requests.cpu", "limits.cpu"];
/// Amounts of bytes.
const BYTES: [&str; 7] = [
    "memory",
    "requests.memory",
    "limits.memory",
    "ephemeral-storage",
    "requests.ephemeral-storage",
    "limits.ephemeral-storage",
    "requests.storage",
];
/// Numbers of objects. Others are `count/RESOURCE` or `count/RESOURCE.GROUP`.
const COUNTS: [&str; 9] = [
    "pods",
    "services",
    "services.loadbalancers",
    "services.nodeports",
    "persistentvolumeclaims",
    "configmaps",
    "secrets",
    "replicationcontrollers",
    "resourcequotas",
];
const COUNT: &str = "count/";
const LONGEST: usize = 253;
const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const DECIMAL: [&str; 7] = ["", "k", "M", "G", "T", "P", "E"];

/// Hard limits as an API server gives them back, so that what stands is known again. Those that an API server would
/// refuse are left out: one of them would have the whole object refused.
#[must_use]
pub fn hard_limits(quota: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let canonical = |(name, amount): (&String, &String)| Some((name.clone(), canonical(name, amount)?));
    quota.iter().filter_map(canonical).collect()
}

/// What is wrong with the first limit that an API server would refuse.
#[must_use]
pub fn quota_fault(quota: &BTreeMap<String, String>) -> Option<String> {
    let (name, amount) = quota.iter().find(|(name, amount)| canonical(name, amount).is_none())?;
    Some(if is_known(name) {
        format!(
            "`{amount}` is no amount of `{name}`; write it as `500m` or `2` of cpu, `512Mi` of bytes, `10` of objects"
        )
    } else {
        format!(
            "`{name}` cannot be limited; name {}, {}, {} or count/RESOURCE",
            CPU.join(", "),
            BYTES.join(", "),
            COUNTS.join(", ")
        )
    })
}

fn is_known(name: &str) -> bool {
    CPU.contains(&name) || BYTES.contains(&name) || COUNTS.contains(&name) || is_count(name)
}

fn is_count(name: &str) -> bool {
    let is_part = |part: &str| {
        let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        part.bytes().all(|byte| is_inner(byte) || byte == b'-')
            && part.bytes().next().is_some_and(is_inner)
            && part.bytes().last().is_some_and(is_inner)
    };
    name.len() <= LONGEST && name.strip_prefix(COUNT).is_some_and(|resource| resource.split('.').all(is_part))
}

fn canonical(name: &str, amount: &str) -> Option<String> {
    let is_plain = amount.bytes().all(|byte| byte.is_ascii_digit());
    if CPU.contains(&name) {
        let thousandths = thousandths(amount)?;
        let whole = thousandths.is_multiple_of(1000).then(|| scaled(thousandths / 1000, 1000, &DECIMAL));
        Some(whole.unwrap_or_else(|| format!("{thousandths}m")))
    } else if BYTES.contains(&name) {
        let is_binary = amount.ends_with('i');
        let (step, suffixes) = if is_binary { (1024, &BINARY) } else { (1000, &DECIMAL) };
        Some(scaled(units(amount)?, step, suffixes))
    } else if is_known(name) && is_plain {
        Some(scaled(units(amount)?, 1000, &DECIMAL))
    } else {
        None
    }
}

fn scaled(mut amount: u64, step: u64, suffixes: &[&str]) -> String {
    let mut suffixes = suffixes.iter();
    let mut suffix = suffixes.next().copied().unwrap_or_default();
    while amount != 0 && amount.is_multiple_of(step) {
        let Some(next) = suffixes.next() else { break };
        (amount, suffix) = (amount / step, next);
    }
    format!("{amount}{suffix}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{hard_limits, quota_fault};

    fn quota(limits: &[(&str, &str)]) -> BTreeMap<String, String> {
        limits.iter().map(|(name, amount)| ((*name).to_owned(), (*amount).to_owned())).collect()
    }

    #[test]
    fn amounts_are_written_as_kubernetes_gives_them_back() {
        for (name, written, kept) in [
            ("cpu", "0.5", "500m"),
            ("requests.cpu", "2000m", "2"),
            ("limits.cpu", "1500m", "1500m"),
            ("memory", "1024Mi", "1Gi"),
            ("limits.memory", "1.5Gi", "1536Mi"),
            ("requests.storage", "2000M", "2G"),
            ("pods", "1000", "1k"),
            ("services", "0", "0"),
            ("count/deployments.apps", "7", "7"),
        ] {
            assert_eq!(quota_fault(&quota(&[(name, written)])), None, "{name}");
            assert_eq!(hard_limits(&quota(&[(name, written)])), quota(&[(name, kept)]));
        }
    }

    #[test]
    fn what_kubernetes_would_refuse_is_told_and_takes_nothing_else_along() {
        for (name, amount) in [
            ("pods", "1.5"),
            ("pods", "-1"),
            ("pods", ""),
            ("cpu", "much"),
            ("memory", "-1Gi"),
            ("CPU", "1"),
            ("count/", "1"),
            ("count/a..b", "1"),
            ("gpus", "1"),
        ] {
            assert!(quota_fault(&quota(&[(name, amount)])).is_some_and(|fault| fault.contains(name)));
            assert_eq!(
                hard_limits(&quota(&[(name, amount), ("services", "3")])).get("services").map(String::as_str),
                Some("3")
            );
            assert_eq!(hard_limits(&quota(&[(name, amount), ("services", "3")])).len(), 1);
        }
    }
}
