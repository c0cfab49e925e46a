//! The state of a control plane in a form in which two runs are equal if only what must differ does:
//! times, random values, addresses. Certificates are told by what they say and who signed them.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use serde_json::{Map, Value, json};

/// Fields that say when and how often an object was written, not what it is.
const NOISE: [&str; 6] =
    ["resourceVersion", "managedFields", "creationTimestamp", "generation", "uid", "observedGeneration"];
/// Longer words of base64 are looked into.
const LONG: usize = 60;

/// Names for what differs between two runs.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// Texts and what they are called.
    known: Vec<(String, &'static str)>,
    /// Checksums, and the Secrets that they are of.
    checksums: BTreeMap<String, String>,
    /// Certificates of authorities, by the Secret that holds them.
    authorities: Vec<(String, String)>,
}

impl Names {
    /// Calls `text` by `name`.
    pub(crate) fn call(&mut self, text: &str, name: &'static str) {
        if !text.is_empty() {
            self.known.push((text.to_owned(), name));
        }
    }

    /// Learns checksums and authorities from the Secrets.
    pub(crate) fn learn(&mut self, secrets: &[Secret]) {
        for secret in secrets {
            let name = secret.metadata.name.clone().unwrap_or_default();
            let annotations = secret.metadata.annotations.iter().flatten();
            for (_, checksum) in annotations.filter(|(key, _)| *key == "kamaji.clastix.io/checksum") {
                self.checksums.insert(checksum.clone(), name.clone());
            }
            for (key, value) in secret.data.iter().flatten() {
                if key.ends_with("ca.crt") {
                    let text = String::from_utf8_lossy(&value.0).into_owned();
                    self.authorities.push((name.clone(), text));
                }
            }
        }
    }

    /// A value in canonical form.
    pub(crate) fn canonical(&self, value: &Value) -> Value {
        match value {
            Value::Object(fields) => Value::Object(self.fields(fields)),
            Value::Array(items) => {
                let mut items: Vec<Value> = items.iter().map(|item| self.canonical(item)).collect();
                // Conditions stand in the order in which they were first set; they are known by type.
                items.sort_by_key(|item| item["type"].as_str().map(str::to_owned));
                Value::Array(items)
            }
            Value::String(text) => json!(self.text(text)),
            other => other.clone(),
        }
    }

    fn fields(&self, fields: &Map<String, Value>) -> Map<String, Value> {
        fields
            .iter()
            .filter(|(key, _)| !NOISE.contains(&key.as_str()))
            .map(|(key, value)| (self.text(key), self.canonical(value)))
            .collect()
    }

    fn text(&self, text: &str) -> String {
        let text = self.renamed(text);
        let mut rest = text.as_str();
        let mut told = String::new();
        while let Some(begin) = rest.find("-----BEGIN ") {
            told += &self.words(&rest[..begin]);
            let end = rest[begin..].find("-----END ").map_or(rest.len(), |at| begin + at);
            let end = rest[end..].find('\n').map_or(rest.len(), |at| end + at + 1);
            told += &self.pem(&rest[begin..end]);
            rest = &rest[end..];
        }
        told + &self.words(rest)
    }

    fn renamed(&self, text: &str) -> String {
        self.known.iter().fold(text.to_owned(), |text, (known, name)| text.replace(known, name))
    }

    fn words(&self, text: &str) -> String {
        let is_border = |letter: char| letter.is_whitespace() || "\"',;{}()[]`".contains(letter);
        let mut told = String::new();
        for part in text.split_inclusive(is_border) {
            let word = part.trim_end_matches(is_border).trim_end_matches('.');
            told += &self.word(word);
            told += &part[word.len()..];
        }
        told
    }

    fn word(&self, word: &str) -> String {
        let is_hex = word.len() >= 32 && word.chars().all(|letter| letter.is_ascii_hexdigit());
        if word.parse::<jiff::Timestamp>().is_ok() {
            return "TIME".to_owned();
        }
        if is_hex {
            let of = self.checksums.get(word).map_or("?", String::as_str);
            return format!("HASH({of})");
        }
        if uuid::Uuid::parse_str(word).is_ok() {
            return "UUID".to_owned();
        }
        if word.len() > LONG
            && let Ok(ByteString(bytes)) = serde_json::from_value(json!(word))
        {
            return match String::from_utf8(bytes) {
                Ok(text) => format!("<{}>", self.text(&text)),
                Err(_) => "BYTES".to_owned(),
            };
        }
        word.to_owned()
    }

    fn pem(&self, block: &str) -> String {
        let Ok(certificate) = pki::inspect(block) else {
            let first = block.lines().next().unwrap_or_default();
            return format!("{first}\n");
        };
        let signers: Vec<&str> = self
            .authorities
            .iter()
            .filter(|(_, authority)| certificate.is_signed_by(authority))
            .map(|(name, _)| name.as_str())
            .collect();
        let hours = certificate.not_after.duration_since(certificate.not_before).as_hours();
        self.renamed(&format!(
            "CERTIFICATE {} {:?} {:?} {:?} signed by {signers:?} for {hours} h\n",
            certificate.common_name,
            certificate.organizations,
            certificate.dns_names,
            certificate.ip_addresses
        ))
    }
}

/// A Secret with its data as text.
pub(crate) fn legible(secret: &Secret) -> Secret {
    let mut secret = secret.clone();
    let data = secret.data.take().unwrap_or_default();
    let text = |value: ByteString| String::from_utf8_lossy(&value.0).into_owned();
    secret.string_data = Some(data.into_iter().map(|(key, value)| (key, text(value))).collect());
    secret
}

/// Lines that only one of two states has, for people.
pub(crate) fn difference(expected: &Value, found: &Value) -> String {
    let lines = |value: &Value| -> Vec<String> { flat("", value) };
    let (expected, found) = (lines(expected), lines(found));
    let missing = expected.iter().filter(|line| !found.contains(line)).map(|line| format!("- {line}"));
    let added = found.iter().filter(|line| !expected.contains(line)).map(|line| format!("+ {line}"));
    missing.chain(added).collect::<Vec<_>>().join("\n")
}

fn flat(path: &str, value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            fields.iter().flat_map(|(key, value)| flat(&format!("{path}.{key}"), value)).collect()
        }
        Value::Array(items) => {
            let numbered = items.iter().enumerate();
            numbered.flat_map(|(index, item)| flat(&format!("{path}[{index}]"), item)).collect()
        }
        other => vec![format!("{path} = {other}")],
    }
}
