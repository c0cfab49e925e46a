//! The one shape of errors: problem details (RFC 9457) with a code, and `Status` where Kubernetes' clients ask.

use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{Operation, Response as Documented, StatusCode as DocumentedStatus};
use api::validation::Fault;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use records::RecordsError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const MEDIA_TYPE: &str = "application/problem+json";

/// What went wrong, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Code {
    /// The request cannot be read, or says something that is not allowed.
    Invalid,
    /// Nobody is signed in, or what was shown is not taken.
    Unauthenticated,
    /// The password is right, a code of the second factor is missing.
    SecondFactor,
    /// It is not allowed.
    Denied,
    /// There is no such thing, or the asker may not know of it.
    NotFound,
    /// There is one of this name already.
    Exists,
    /// It was changed by somebody else meanwhile.
    Changed,
    /// The same request is under way.
    InProgress,
    /// The path has no such method.
    Method,
    /// The body is not JSON, or its `Content-Type` does not say so.
    MediaType,
    /// The body is larger than what is taken.
    TooLarge,
    /// Too many requests, or failures to sign in.
    TooMany,
    /// Nobody has decided on the device yet; it shall ask again after the interval.
    AuthorizationPending,
    /// The device asks too often.
    SlowDown,
    /// Somebody turned the device away.
    AccessDenied,
    /// The device's code is unknown, used or too old.
    ExpiredToken,
    /// Something that the hub needs does not answer.
    Unavailable,
    /// A defect of the hub.
    Internal,
}

impl Code {
    fn status(self) -> StatusCode {
        match self {
            Self::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unauthenticated | Self::SecondFactor => StatusCode::UNAUTHORIZED,
            // As OAuth answers a device (RFC 8628, section 3.5).
            Self::AuthorizationPending | Self::SlowDown | Self::AccessDenied | Self::ExpiredToken => {
                StatusCode::BAD_REQUEST
            }
            Self::Denied => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Exists | Self::InProgress => StatusCode::CONFLICT,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Changed => StatusCode::PRECONDITION_FAILED,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// A failure as it is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Problem {
    /// HTTP status.
    pub(crate) status: u16,
    /// What went wrong, for programs.
    pub(crate) code: Code,
    /// The status in words.
    pub(crate) title: String,
    /// What went wrong, why, and what to do, for people.
    pub(crate) detail: String,
    /// What is wrong with the request, field by field, where that is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) errors: Vec<FieldError>,
    /// When it is worth another try, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_after: Option<u64>,
}

/// What is wrong with a field of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct FieldError {
    /// Its path.
    pub(crate) field: String,
    /// What is wrong, and what is allowed, for people.
    pub(crate) detail: String,
}

impl Problem {
    /// One of a kind.
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        let status = code.status();
        let title = status.canonical_reason().unwrap_or_default().to_owned();
        Self {
            status: status.as_u16(),
            code,
            title,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
        }
    }

    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(Code::Invalid, detail)
    }

    /// All that is wrong with the fields of a request.
    pub(crate) fn faults(faults: &[Fault]) -> Self {
        let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
        let errors = faults.iter().map(|fault| FieldError {
            field: fault.path.clone(),
            detail: format!("`{}` {}", fault.value, fault.message),
        });
        Self { errors: errors.collect(), ..Self::invalid(texts.join("; ")) }
    }

    pub(crate) fn denied(detail: impl Into<String>) -> Self {
        Self::new(Code::Denied, detail)
    }

    /// The same for what is missing and for what the asker may not know of.
    pub(crate) fn not_found(resource: &str, name: &str) -> Self {
        let resource = resource.trim_end_matches('s');
        Self::new(
            Code::NotFound,
            format!("there is no {resource} `{name}`, or you may not see it; ask its owner for a grant"),
        )
    }

    pub(crate) fn unauthenticated() -> Self {
        Self::new(
            Code::Unauthenticated,
            "you are not signed in, or your session or key has ended; sign in again, or send a key as `Authorization: Bearer`",
        )
    }

    /// The body has more than [`crate::routes::LARGEST`].
    pub(crate) fn too_large() -> Self {
        Self::new(Code::TooLarge, "the body is larger than 1 MiB; send less")
    }

    pub(crate) fn too_many(detail: impl Into<String>, seconds: u64) -> Self {
        Self { retry_after: Some(seconds.max(1)), ..Self::new(Code::TooMany, detail) }
    }

    /// A defect; the cause goes to the log only.
    pub(crate) fn internal(cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = cause, "a request failed");
        Self::new(
            Code::Internal,
            "the hub failed; its log says why. Try again, and tell whoever runs the hub if it stays",
        )
    }

    /// Something that the hub needs does not answer.
    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        Self { retry_after: Some(2), ..Self::new(Code::Unavailable, detail) }
    }
}

impl From<RecordsError> for Problem {
    fn from(error: RecordsError) -> Self {
        if matches!(error, RecordsError::Cursor) {
            return Self::invalid(error.to_string());
        }
        tracing::error!(error = &error as &dyn std::error::Error, "the database failed");
        Self::unavailable("the hub's database does not answer; try again in a moment")
    }
}

impl From<kube::Error> for Problem {
    fn from(error: kube::Error) -> Self {
        let kube::Error::Api(status) = error else {
            tracing::warn!(%error, "the management cluster does not answer");
            return Self::unavailable("the management cluster does not answer; try again in a moment");
        };
        let message = status.message.clone();
        match (status.code, status.reason.as_str()) {
            (409, "AlreadyExists") => Self::new(Code::Exists, format!("{message}; choose another name")),
            (409, _) => Self::new(Code::Changed, format!("{message}; read it again and repeat your change")),
            (404, _) => Self::new(Code::NotFound, message),
            (400 | 422, _) => Self::invalid(message),
            // What admission refuses has its own code; a missing right of ours is a defect of the installation.
            (403, _) if is_of_admission(&message) => Self::invalid(message),
            (429 | 500..=599, _) => Self::unavailable(message),
            _ => Self::internal(&*status),
        }
    }
}

fn is_of_admission(message: &str) -> bool {
    message.contains("admission webhook") || message.contains("ValidatingAdmissionPolicy")
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.retry_after;
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// What every endpoint may answer: one description for all failures, since their codes tell them apart.
pub(crate) fn described(
    context: &mut GenContext,
    operation: &mut Operation,
) -> Vec<(Option<DocumentedStatus>, Documented)> {
    Problem::operation_response(context, operation).map(|response| (None, response)).into_iter().collect()
}

impl OperationOutput for Problem {
    type Inner = Self;

    fn operation_response(context: &mut GenContext, operation: &mut Operation) -> Option<Documented> {
        let mut response = Json::<Self>::operation_response(context, operation)?;
        if let Some(content) = response.content.shift_remove("application/json") {
            response.content.insert(MEDIA_TYPE.to_owned(), content);
        }
        Some(response)
    }

    fn inferred_responses(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<DocumentedStatus>, Documented)> {
        described(context, operation)
    }
}

#[cfg(test)]
mod tests {
    use super::Problem;

    #[test]
    fn what_is_missing_and_what_is_hidden_look_alike() {
        let problem = Problem::not_found("tenants", "acme");
        assert_eq!(problem.status, 404);
        assert_eq!(
            problem.detail,
            "there is no tenant `acme`, or you may not see it; ask its owner for a grant"
        );
    }

    #[test]
    fn an_answer_of_the_management_cluster_keeps_its_meaning() {
        let of = |code: u16, reason: &str, message: &str| {
            let status = kube::core::Status::failure(message, reason).with_code(code);
            Problem::from(kube::Error::Api(Box::new(status))).status
        };
        assert_eq!(of(409, "AlreadyExists", "x"), 409);
        assert_eq!(of(409, "Conflict", "x"), 412);
        assert_eq!(of(403, "Forbidden", "admission webhook \"v\" denied the request: quota"), 422);
        let policy = "ValidatingAdmissionPolicy 'a' with binding 'b' denied request: no";
        assert_eq!(of(403, "Forbidden", policy), 422);
        assert_eq!(of(403, "Forbidden", "User cannot"), 500);
        assert_eq!(of(503, "ServiceUnavailable", "x"), 503);
    }
}
