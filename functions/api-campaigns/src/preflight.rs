//! `/v1/campaigns/{campaign}/preflight`

use app::App;
use app::campaign::{self, Preflight};
use axum::extract::State;
use domain::id::CampaignId;
use http_api::{Authenticated, Failure, Id, Json, Problem, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreflightQuery {
    /// The `next` of the answer before, to go on where it ended.
    cursor: Option<String>,
}

/// What a stretch of the audience comes to. Unless `complete`, there is more: go on with `next` and add
/// up `recipients`, `excluded`, `messages`, `duration_seconds` and the amounts.
#[derive(Serialize, ToSchema)]
pub(crate) struct PreflightOut {
    /// The audience was looked at to its end.
    complete: bool,
    /// The cursor of the next stretch; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// Everybody of this stretch, those who are left out included.
    recipients: u64,
    /// Those who are left out, by reason.
    excluded: Vec<ExcludedOut>,
    /// Those who get a message.
    messages: u64,
    /// How long these messages take at the number's present limit, if it sends nothing else.
    duration_seconds: u64,
    messages_per_second: u32,
    budget: BudgetOut,
    price: PriceOut,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ExcludedOut {
    /// `opted_out`, `blocked`, `no_phone`, `invalid_number`, `missing_value`, `too_long`,
    /// `unfit_value`, `deleted`, `not_retryable` or `too_early`.
    code: &'static str,
    /// The reason in words.
    reason: &'static str,
    count: u64,
}

/// New people that WhatsApp allows the portfolio within 24 hours.
#[derive(Serialize, ToSchema)]
pub(crate) struct BudgetOut {
    /// WhatsApp's word for the limit.
    tier: String,
    /// How many of them are left now; absent without a limit. Who is beyond it gets the message when there
    /// is room again.
    left: Option<u64>,
}

/// An upper bound: everybody is reckoned as delivered, and nothing as free. Amounts are millionths of
/// the currency's unit.
#[derive(Serialize, ToSchema)]
pub(crate) struct PriceOut {
    currency: String,
    total_micros: i64,
    category: String,
    /// The first day on which the table of prices holds.
    valid_from: String,
    /// Where the figures come from.
    note: String,
    countries: Vec<CountryOut>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct CountryOut {
    /// Two letters, or `001` for numbers that belong to no country.
    country: String,
    market: String,
    messages: u64,
    price_micros: i64,
    amount_micros: i64,
}

/// Says what a draft or scheduled campaign would do if it started now. It changes nothing. One call
/// looks for a few seconds; a large audience takes several.
#[utoipa::path(post, path = "/v1/campaigns/{campaign}/preflight", operation_id = "preflight_campaign", tag = "campaigns",
    security(("api_key" = []), ("session" = [])), params(("campaign" = String, Path), PreflightQuery),
    responses((status = 200, body = PreflightOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn preflight(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<CampaignId>,
    Query(query): Query<PreflightQuery>,
) -> Result<Json<PreflightOut>, Failure> {
    let preflight = campaign::preflight(&app, &actor, &id, query.cursor).await?;
    Ok(Json(preflight.into()))
}

impl From<Preflight> for PreflightOut {
    fn from(preflight: Preflight) -> Self {
        let excluded = preflight.excluded.into_iter();
        let excluded = excluded.map(|(reason, count)| ExcludedOut {
            code: reason.as_str(),
            reason: reason.reason(),
            count,
        });
        let countries = preflight.estimate.countries.into_iter();
        let countries = countries.map(|line| CountryOut {
            country: line.country,
            market: line.market,
            messages: line.messages,
            price_micros: line.price_micros,
            amount_micros: line.amount_micros,
        });
        Self {
            complete: preflight.next.is_none(),
            next: preflight.next,
            recipients: preflight.recipients,
            excluded: excluded.collect(),
            messages: preflight.messages,
            duration_seconds: preflight.seconds,
            messages_per_second: preflight.messages_per_second.0,
            budget: BudgetOut {
                tier: preflight.budget.tier,
                left: preflight.budget.left,
            },
            price: PriceOut {
                currency: preflight.prices.currency.clone(),
                total_micros: preflight.estimate.total_micros,
                category: preflight.category.as_str().to_owned(),
                valid_from: preflight.prices.valid_from.to_string(),
                note: preflight.prices.note.clone(),
                countries: countries.collect(),
            },
        }
    }
}
