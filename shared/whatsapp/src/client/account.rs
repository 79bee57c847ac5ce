//! The calls about accounts and numbers: templates, a number's standing, subscribing to webhooks.
//!
//! None of them reaches a person, so each may simply be repeated.

use domain::template::Template;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::{AccessToken, Answer, Client};
use crate::{
    error::{ApiError, MetaError},
    lenient::text,
    template,
};

/// Meta's default is 25; an account may hold 6,000 templates and is allowed 200 calls an hour.
const PAGE_SIZE: &str = "100";
/// More pages than any account can fill: an endless list is Meta's mistake, not ours to follow.
const MOST_PAGES: usize = 200;

const NUMBER_FIELDS: &str = "id,display_phone_number,verified_name,quality_rating,status,\
     name_status,code_verification_status,platform_type,account_mode,throughput,\
     whatsapp_business_manager_messaging_limit,is_on_biz_app";

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Where the next page begins. Short-lived; `None` at the end.
    pub next: Option<String>,
}

/// Where an account's messages and statuses go instead of the app's own address.
#[derive(Clone, Copy)]
pub struct Callback<'a> {
    pub url: &'a str,
    pub verify_token: &'a str,
}

/// A number as Meta describes it, in Meta's own words: its lists of values differ from page to
/// page of its documentation, so none of them is an enum.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PhoneNumber {
    pub id: String,
    /// With spaces and dashes, unlike the digits webhooks carry.
    pub display_phone_number: Option<String>,
    pub verified_name: Option<String>,
    /// `GREEN`, `YELLOW`, `RED`, `NA` or `UNKNOWN`.
    pub quality_rating: Option<String>,
    /// `CONNECTED` when it can send.
    pub status: Option<String>,
    pub name_status: Option<String>,
    pub code_verification_status: Option<String>,
    pub platform_type: Option<String>,
    /// `SANDBOX` for a test number.
    pub account_mode: Option<String>,
    /// `STANDARD` or `HIGH`.
    pub throughput_level: Option<String>,
    /// `TIER_250` to `TIER_UNLIMITED`: new people in 24 hours, shared by the whole portfolio.
    pub messaging_limit: Option<String>,
    pub is_on_biz_app: bool,
}

impl PhoneNumber {
    /// The number's speed limit (Meta: throughput). A number that is also used in the WhatsApp
    /// Business app is held to 20 whatever its level.
    pub fn messages_per_second(&self) -> u32 {
        match self.throughput_level.as_deref() {
            _ if self.is_on_biz_app => 20,
            Some("HIGH") => 1_000,
            Some(_) | None => 80,
        }
    }
}

impl Client {
    /// One page of an account's templates; `after` is the `next` of the page before.
    pub async fn templates(
        &self,
        token: &AccessToken,
        waba_id: &str,
        after: Option<&str>,
    ) -> Result<Page<Template>, ApiError> {
        let mut query = vec![("fields", template::FIELDS), ("limit", PAGE_SIZE)];
        query.extend(after.map(|cursor| ("after", cursor)));
        let request = self.request(Method::GET, token, [waba_id, "message_templates"]);
        let page = self.read(request.query(&query)).await?;
        let Some(data) = page.get("data").and_then(Value::as_array) else {
            return Err(ApiError::Unreadable(
                "the list of templates has no data".to_owned(),
            ));
        };
        let items: Vec<Template> = data.iter().filter_map(template::parse).collect();
        if items.len() < data.len() {
            let unnamed = data.len() - items.len();
            tracing::warn!(
                waba_id,
                unnamed,
                "templates without a name or language were left out"
            );
        }
        Ok(Page {
            items,
            next: next(&page),
        })
    }

    /// Every template of an account, page by page.
    pub async fn all_templates(
        &self,
        token: &AccessToken,
        waba_id: &str,
    ) -> Result<Vec<Template>, ApiError> {
        let mut templates = Vec::new();
        let mut after = None;
        for _ in 0..MOST_PAGES {
            let page = self.templates(token, waba_id, after.as_deref()).await?;
            templates.extend(page.items);
            if page.next.is_none() {
                return Ok(templates);
            }
            if page.next == after {
                break;
            }
            after = page.next;
        }
        Err(ApiError::Unreadable(
            "the list of templates does not end".to_owned(),
        ))
    }

    pub async fn phone_number(
        &self,
        token: &AccessToken,
        phone_number_id: &str,
    ) -> Result<PhoneNumber, ApiError> {
        let request = self.request(Method::GET, token, [phone_number_id, ""]);
        let node = self
            .read(request.query(&[("fields", NUMBER_FIELDS)]))
            .await?;
        let field = |key| text(&node, key);
        let Some(id) = field("id") else {
            return Err(ApiError::Unreadable("the number has no id".to_owned()));
        };
        Ok(PhoneNumber {
            id,
            display_phone_number: field("display_phone_number"),
            verified_name: field("verified_name"),
            quality_rating: field("quality_rating"),
            status: field("status"),
            name_status: field("name_status"),
            code_verification_status: field("code_verification_status"),
            platform_type: field("platform_type"),
            account_mode: field("account_mode"),
            throughput_level: node.get("throughput").and_then(|it| text(it, "level")),
            // Older accounts still answer with the name this field had per number.
            messaging_limit: field("whatsapp_business_manager_messaging_limit")
                .or_else(|| field("messaging_limit_tier")),
            is_on_biz_app: node
                .get("is_on_biz_app")
                .and_then(Value::as_bool)
                .unwrap_or(false),
        })
    }

    /// The portfolio that owns an account; `None` when Meta does not tell, as for some older accounts.
    pub async fn portfolio(
        &self,
        token: &AccessToken,
        waba_id: &str,
    ) -> Result<Option<String>, ApiError> {
        let request = self.request(Method::GET, token, [waba_id, ""]);
        let node = self
            .read(request.query(&[("fields", "id,owner_business_info")]))
            .await?;
        Ok(node
            .get("owner_business_info")
            .and_then(|owner| text(owner, "id")))
    }

    /// Asks for the account's webhooks. With a callback, messages and statuses go there instead of to
    /// the app's own address, and Meta asks it for the verify token before it answers; what concerns
    /// the account and its templates goes to the app's address all the same (Meta: callback overrides).
    /// Repeating it changes nothing.
    pub async fn subscribe(
        &self,
        token: &AccessToken,
        waba_id: &str,
        callback: Option<&Callback<'_>>,
    ) -> Result<(), ApiError> {
        let mut request = self.request(Method::POST, token, [waba_id, "subscribed_apps"]);
        if let Some(Callback { url, verify_token }) = callback {
            let body = json!({"override_callback_uri": url, "verify_token": verify_token});
            request = request.json(&body);
        }
        succeeded(&self.read(request).await?)
    }

    /// Takes the account's webhooks back, for the app that the token belongs to.
    pub async fn unsubscribe(&self, token: &AccessToken, waba_id: &str) -> Result<(), ApiError> {
        let request = self.request(Method::DELETE, token, [waba_id, "subscribed_apps"]);
        succeeded(&self.read(request).await?)
    }

    pub(super) async fn read(&self, request: RequestBuilder) -> Result<Value, ApiError> {
        let (status, body) = match self.call(request).await {
            Answer::Complete { status, body } => (status, body),
            Answer::NotConnected(why) | Answer::Lost(why) => {
                return Err(ApiError::Unreachable(why));
            }
        };
        if status.is_success() {
            return serde_json::from_slice(&body)
                .map_err(|error| ApiError::Unreadable(error.to_string()));
        }
        Err(refusal(status, &body))
    }
}

fn succeeded(answer: &Value) -> Result<(), ApiError> {
    match answer.get("success").and_then(Value::as_bool) {
        Some(true) => Ok(()),
        Some(false) | None => Err(ApiError::Unreadable(
            "Meta did not confirm the change".to_owned(),
        )),
    }
}

fn refusal(status: StatusCode, body: &[u8]) -> ApiError {
    match MetaError::parse(status.as_u16(), body) {
        Some(error) => ApiError::Refused(error),
        None if status.is_server_error() => ApiError::Unreachable(format!("HTTP {status}")),
        None => ApiError::Unreadable(format!("HTTP {status}, and no error of Meta's")),
    }
}

/// The cursor alone is no sign of another page: Meta repeats the last one. `next` is.
fn next(page: &Value) -> Option<String> {
    let paging = page.get("paging")?;
    text(paging, "next")?;
    text(paging.get("cursors")?, "after")
}
