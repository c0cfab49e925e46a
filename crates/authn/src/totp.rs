//! Codes of an authenticator app (RFC 6238: SHA-1, six digits, 30 s, as all apps take them).

use std::fmt::Write as _;

use aws_lc_rs::{constant_time, hmac, rand};
use data_encoding::BASE32_NOPAD;
use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::LibraryError;

const STEP_SECONDS: i64 = 30;
/// Steps before and after now whose codes are taken: clocks differ.
const TOLERANCE: i64 = 1;

/// A secret that an app and the hub share.
pub struct Enrolment {
    secret: Zeroizing<[u8; 20]>,
}

/// A code that was right, by the step of time that it belongs to. It is to be kept: no code is taken twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Code(pub i64);

impl Enrolment {
    /// A new secret.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn new() -> Result<Self, LibraryError> {
        let mut secret = Zeroizing::new([0; 20]);
        rand::fill(secret.as_mut_slice()).map_err(|_| LibraryError)?;
        Ok(Self { secret })
    }

    /// One that was kept.
    #[must_use]
    pub fn kept(base32: &str) -> Option<Self> {
        let bytes = Zeroizing::new(BASE32_NOPAD.decode(base32.as_bytes()).ok()?);
        Some(Self { secret: Zeroizing::new(bytes.as_slice().try_into().ok()?) })
    }

    /// What is to be kept, and what people type into an app that reads no picture.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE32_NOPAD.encode(self.secret.as_slice()))
    }

    /// What an app reads from a picture. `issuer` and `user` must hold only letters, digits and `-._@`.
    #[must_use]
    pub fn uri(&self, issuer: &str, user: &str) -> Zeroizing<String> {
        let mut uri = Zeroizing::new(String::new());
        let _ = write!(
            uri,
            "otpauth://totp/{issuer}:{user}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period={STEP_SECONDS}",
            self.expose().as_str()
        );
        uri
    }

    /// The step of a right code. `last` is that of the last code that was taken: earlier ones are not right any
    /// more, nor is that one.
    #[must_use]
    pub fn accept(&self, code: &str, last: Option<Code>, now: Timestamp) -> Option<Code> {
        let current = now.as_second().div_euclid(STEP_SECONDS);
        (current - TOLERANCE..=current + TOLERANCE)
            .map(Code)
            .filter(|step| last.is_none_or(|last| *step > last))
            .find(|step| {
                constant_time::verify_slices_are_equal(self.at(step.0).as_bytes(), code.as_bytes()).is_ok()
            })
    }

    fn at(&self, step: i64) -> Zeroizing<String> {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.secret.as_slice());
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let bytes = tag.as_ref();
        let offset = usize::from(bytes[bytes.len() - 1] & 0x0f);
        let four = [bytes[offset] & 0x7f, bytes[offset + 1], bytes[offset + 2], bytes[offset + 3]];
        Zeroizing::new(format!("{:06}", u32::from_be_bytes(four) % 1_000_000))
    }
}

impl std::fmt::Debug for Enrolment {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Enrolment")
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{Code, Enrolment};

    /// The secret of RFC 6238, appendix B; the codes there have eight digits, of which ours are the last six.
    fn enrolment() -> Enrolment {
        Enrolment::kept("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        for (second, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            assert!(enrolment().accept(code, None, at(second)).is_some(), "{second}");
        }
    }

    #[test]
    fn a_code_is_taken_once_and_near_its_time() {
        let taken = enrolment().accept("287082", None, at(59)).unwrap();
        assert_eq!(taken, Code(1));
        assert_eq!(enrolment().accept("287082", Some(taken), at(60)), None);
        assert!(enrolment().accept("287082", None, at(89)).is_some());
        assert_eq!(enrolment().accept("287082", None, at(91)), None);
    }

    #[test]
    fn what_is_no_code_is_not_taken() {
        for code in ["", "28708", "2870821", "28708a", "٢٨٧٠٨٢"] {
            assert_eq!(enrolment().accept(code, None, at(59)), None, "{code}");
        }
        assert!(Enrolment::kept("AAAA").is_none());
        assert!(Enrolment::kept("not base 32!").is_none());
    }

    #[test]
    fn an_app_reads_the_secret_from_its_uri() {
        let enrolment = Enrolment::new().unwrap();
        let uri = enrolment.uri("Flotilla", "olga");
        assert!(uri.starts_with("otpauth://totp/Flotilla:olga?secret="), "{}", *uri);
        assert!(Enrolment::kept(&enrolment.expose()).is_some());
    }
}
