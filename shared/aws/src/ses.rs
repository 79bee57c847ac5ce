//! Mails over SES: one signed request, `SendEmail` of its API v2.
//!
//! SES's own client is four times the size of that of SQS, for one call without paging, streams or a typed
//! answer. So the request is written by hand and signed by the library that signs the others.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use app::ports::{Clock, Letter, Mail, NotMailed};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::access::Access;

#[cfg(test)]
mod tests;

/// SES answers within a second; whether one that takes this long has sent the mail is not known, and it
/// is sent again.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What SES says of a letter that it refuses, and would refuse again (SES API v2: SendEmail, errors).
/// Everything else concerns the account or the moment.
const REFUSALS: [&str; 2] = ["BadRequestException", "MessageRejected"];

#[derive(Clone)]
pub struct SesMail {
    client: reqwest::Client,
    access: Access,
    /// `Blazz <no-reply@example.com>`
    from: String,
    clock: Arc<dyn Clock>,
}

impl SesMail {
    /// # Errors
    /// The HTTP client cannot be made.
    pub fn new(
        access: Access,
        from: String,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder().timeout(TIMEOUT).build()?;
        Ok(Self {
            client,
            access,
            from,
            clock,
        })
    }

    async fn post(&self, letter: &Letter) -> Result<(), NotMailed> {
        let body = self.body(letter).to_string();
        let request = self.signed(body).map_err(unavailable)?;
        let answer = request.send().await.map_err(unavailable)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let kind = answer.headers().get("x-amzn-errortype");
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        // `MessageRejected:http://…`
        let kind = kind.split(':').next().unwrap_or_default();
        let reason = format!("SES answered {status} {kind}");
        if REFUSALS.contains(&kind) {
            Err(NotMailed::Refused(reason))
        } else {
            Err(NotMailed::Unavailable(reason))
        }
    }

    fn body(&self, letter: &Letter) -> Value {
        let text = |data: &str| json!({ "Data": data, "Charset": "UTF-8" });
        json!({
            "FromEmailAddress": self.from,
            "Destination": { "ToAddresses": [letter.to] },
            "Content": { "Simple": {
                "Subject": text(&letter.subject),
                "Body": { "Text": text(&letter.text), "Html": text(&letter.html) },
            } },
        })
    }

    fn signed(
        &self,
        body: String,
    ) -> Result<reqwest::RequestBuilder, Box<dyn std::error::Error + Send + Sync>> {
        let endpoint = match &self.access.endpoint {
            Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
            None => format!("https://email.{}.amazonaws.com", self.access.region),
        };
        let url = format!("{endpoint}/v2/email/outbound-emails");
        let identity = self.access.credentials.clone().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.access.region)
            .name("ses")
            .time(SystemTime::from(self.clock.now()))
            .settings(SigningSettings::default())
            .build()?
            .into();
        let headers = std::iter::once(("content-type", "application/json"));
        let signable = SignableRequest::new(
            "POST",
            url.as_str(),
            headers,
            SignableBody::Bytes(body.as_bytes()),
        )?;
        let (signature, _) = sign(signable, &params)?.into_parts();
        let mut request = self
            .client
            .post(&url)
            .header("content-type", "application/json");
        for (name, value) in signature.headers() {
            request = request.header(name, value);
        }
        Ok(request.body(body))
    }
}

impl Mail for SesMail {
    fn send(&self, letter: Letter) -> BoxFuture<'_, Result<(), NotMailed>> {
        Box::pin(async move { self.post(&letter).await })
    }
}

/// For the functions that send no mail: the variable and the right to it are `notify`'s alone.
pub struct NoMail;

impl Mail for NoMail {
    fn send(&self, _: Letter) -> BoxFuture<'_, Result<(), NotMailed>> {
        Box::pin(async {
            Err(NotMailed::Unavailable(
                "MAIL_FROM is not set for this function".to_owned(),
            ))
        })
    }
}

fn unavailable(error: impl std::fmt::Display) -> NotMailed {
    NotMailed::Unavailable(error.to_string())
}
