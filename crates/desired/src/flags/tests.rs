//! Who wins when a flag is given more than once.

use proptest::prelude::*;

use super::{Flags, api_server, flags, merged, parse};

fn texts(flags: &[&str]) -> Vec<String> {
    flags.iter().map(|flag| (*flag).to_owned()).collect()
}

#[test]
fn for_the_api_server_managed_wins_over_user_and_user_over_defaults() {
    let managed = flags([("--secure-port", "6443".to_owned()), ("--z", "1".to_owned())]);
    let defaults = flags([("--allow-privileged", "true".to_owned()), ("--issuer", "a".to_owned())]);
    let extra = texts(&["--v=4", "--secure-port=1", "--issuer=b", "--issuer=c", "--bare"]);
    let expected = [
        "--allow-privileged=true",
        "--secure-port=6443",
        "--z=1",
        "--v=4",
        "--issuer=b",
        "--issuer=c",
        "--bare",
    ];
    assert_eq!(api_server(&managed, &defaults, &extra), expected);
}

#[test]
fn values_may_hold_equal_signs() {
    assert_eq!(merged(Flags::new(), parse(&texts(&["--a=b=c", "--d"]))), ["--a=b=c", "--d"]);
}

fn flag() -> impl Strategy<Value = String> {
    ("--[a-e]", "[0-9]{0,2}")
        .prop_map(|(name, value)| if value.is_empty() { name } else { format!("{name}={value}") })
}

fn some_flags() -> impl Strategy<Value = Flags> {
    proptest::collection::btree_map("--[a-e]", "[0-9]{1,2}", 0..4)
}

proptest! {
    #[test]
    fn every_managed_flag_stands_exactly_once_with_its_own_value(
        managed in some_flags(),
        defaults in some_flags(),
        extra in proptest::collection::vec(flag(), 0..6),
    ) {
        let result = api_server(&managed, &defaults, &extra);
        let named = |name: &str| result.iter().filter(|flag| flag.split('=').next() == Some(name)).cloned().collect::<Vec<_>>();
        for (name, value) in &managed {
            prop_assert_eq!(named(name), [format!("{name}={value}")]);
        }
        for (name, value) in defaults.iter().filter(|(name, _)| !managed.contains_key(*name)) {
            let given: Vec<String> = extra.iter().filter(|flag| flag.split('=').next() == Some(name)).cloned().collect();
            let expected = if given.is_empty() { vec![format!("{name}={value}")] } else { given };
            prop_assert_eq!(named(name), expected);
        }
    }

    #[test]
    fn the_users_flags_keep_their_order_and_repetitions(extra in proptest::collection::vec(flag(), 0..6)) {
        prop_assert_eq!(api_server(&Flags::new(), &Flags::new(), &extra), extra);
    }

    #[test]
    fn merging_is_sorted_and_the_winner_wins(loser in some_flags(), winner in some_flags()) {
        let result = merged(loser.clone(), winner.clone());
        prop_assert!(result.is_sorted());
        for (name, value) in &winner {
            let flag = format!("{name}={value}");
            prop_assert!(result.contains(&flag));
        }
        let names: std::collections::BTreeSet<&String> = loser.keys().chain(winner.keys()).collect();
        prop_assert_eq!(result.len(), names.len());
    }
}
