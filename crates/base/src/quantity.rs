//! Kubernetes' way to write amounts: `2`, `250m`, `1.5Gi`, `1e3`.

/// Suffixes and what they stand for, as a power of two or of ten.
const BINARY: [(&str, u32); 6] = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];
const DECIMAL: [(&str, i32); 9] =
    [("n", -9), ("u", -6), ("m", -3), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
/// Digits after the point that are looked at: Kubernetes keeps nine.
const PRECISION: usize = 9;
const BILLION: u128 = 1_000_000_000;

/// An amount in thousandths, rounded up as Kubernetes does; nothing for what is no amount or below zero. What
/// is too much for the type is as much as fits.
#[must_use]
pub fn thousandths(text: &str) -> Option<u64> {
    scaled(text).map(|billionths| fit(billionths.div_ceil(BILLION / 1000)))
}

/// An amount in whole units, such as bytes, rounded up.
#[must_use]
pub fn units(text: &str) -> Option<u64> {
    scaled(text).map(|billionths| fit(billionths.div_ceil(BILLION)))
}

fn fit(amount: u128) -> u64 {
    u64::try_from(amount).unwrap_or(u64::MAX)
}

/// In billionths.
fn scaled(text: &str) -> Option<u128> {
    for (suffix, power) in BINARY {
        if let Some(number) = text.strip_suffix(suffix) {
            return Some(number_in_billionths(number)?.saturating_mul(1 << power));
        }
    }
    // An exponent before the suffix `E`, which could be both.
    if let Some((number, exponent)) = text.split_once(['e', 'E']).filter(|(_, exponent)| !exponent.is_empty())
    {
        return Some(shifted(number_in_billionths(number)?, exponent.parse().ok()?));
    }
    let found = DECIMAL.iter().find_map(|(suffix, power)| Some((text.strip_suffix(suffix)?, *power)));
    let (number, power) = found.unwrap_or((text, 0));
    Some(shifted(number_in_billionths(number)?, power))
}

fn shifted(amount: u128, power: i32) -> u128 {
    let factor = 10_u128.checked_pow(power.unsigned_abs());
    match factor {
        Some(factor) if power >= 0 => amount.saturating_mul(factor),
        Some(factor) => amount.div_ceil(factor),
        None if amount == 0 => 0,
        // More, or less, than any amount there is.
        None if power >= 0 => u128::MAX,
        None => 1,
    }
}

fn number_in_billionths(text: &str) -> Option<u128> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let kept: String = fraction.chars().chain("0".repeat(PRECISION).chars()).take(PRECISION).collect();
    let rest = fraction.get(PRECISION..).is_some_and(|rest| rest.bytes().any(|digit| digit != b'0'));
    Some(whole.saturating_mul(BILLION).saturating_add(kept.parse().ok()?).saturating_add(u128::from(rest)))
}

#[cfg(test)]
mod tests {
    use super::{thousandths, units};

    #[test]
    fn amounts_are_read_as_kubernetes_reads_them() {
        for (text, expected) in [
            ("2", 2000),
            ("250m", 250),
            ("0.5", 500),
            (".5", 500),
            ("1.", 1000),
            ("1e3", 1_000_000),
            ("1E3", 1_000_000),
            ("15e-1", 1500),
            ("100n", 1),
            ("0", 0),
        ] {
            assert_eq!(thousandths(text), Some(expected), "{text}");
        }
        for (text, expected) in
            [("1Gi", 1 << 30), ("1.5Ki", 1536), ("128M", 128_000_000), ("1E", 10_u64.pow(18)), ("1500m", 2)]
        {
            assert_eq!(units(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_none_and_too_much_is_as_much_as_fits() {
        for text in ["", "lots", "-1", "1.2.3", "Gi", "1 Gi", "e3", "1e", "1Zi", "0x10", "1e99999999999"] {
            assert_eq!(units(text), None, "{text}");
        }
        assert_eq!(units("9999999999999Ei"), Some(u64::MAX));
        assert_eq!(units("1e400"), Some(u64::MAX));
        assert_eq!(units("1e-400"), Some(1));
        assert_eq!(units("0e400"), Some(0));
    }
}
