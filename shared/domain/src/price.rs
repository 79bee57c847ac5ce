//! What a campaign's messages cost at WhatsApp, as an estimate from a table of prices.
//!
//! A delivered template message is billed by its category and by the country of the recipient's number
//! (Meta: pricing). Everybody is reckoned as delivered and nothing as free of charge, so the estimate
//! is an upper bound: messages that are not delivered, discounts by volume and free entry points only
//! lower it. Amounts are whole millionths of the currency's unit.
//!
//! The table is `price/prices.json`. Its rows are ours and meant to be edited.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use jiff::civil::Date;
use serde::Deserialize;

use crate::template::TemplateCategory;

/// Prices of one message each, by market and category.
#[derive(Debug)]
pub struct Prices {
    pub currency: String,
    /// The first day on which these prices hold.
    pub valid_from: Date,
    /// Where the figures come from, in words.
    pub note: String,
    markets: Vec<Market>,
    /// The place of each country's market.
    countries: HashMap<String, usize>,
    /// The place of the market of every country that is in no other.
    other: usize,
}

/// The countries that share a price; amounts are millionths.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Market {
    market: String,
    countries: Vec<String>,
    marketing: i64,
    utility: i64,
    authentication: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    note: String,
    currency: String,
    valid_from: Date,
    markets: Vec<Market>,
}

/// The table of prices cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the table of prices cannot be used: {0}")]
pub struct InvalidPrices(String);

/// What a number of messages cost, country by country.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estimate {
    pub total_micros: i64,
    /// In the order of the countries' codes.
    pub countries: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Two letters, or `001` for numbers that belong to no country.
    pub country: String,
    /// The market whose price holds there.
    pub market: String,
    pub messages: u64,
    /// Of one message.
    pub price_micros: i64,
    pub amount_micros: i64,
}

static SHIPPED: LazyLock<Result<Prices, InvalidPrices>> =
    LazyLock::new(|| Prices::read(include_str!("price/prices.json")));

impl Prices {
    /// The table that comes with the product.
    ///
    /// # Errors
    /// The table was edited and is not valid any more.
    pub fn shipped() -> Result<&'static Self, InvalidPrices> {
        SHIPPED.as_ref().map_err(Clone::clone)
    }

    fn read(text: &str) -> Result<Self, InvalidPrices> {
        let table: Table =
            serde_json::from_str(text).map_err(|error| InvalidPrices(error.to_string()))?;
        let mut countries = HashMap::new();
        let mut other = None;
        for (place, market) in table.markets.iter().enumerate() {
            if market.marketing < 0 || market.utility < 0 || market.authentication < 0 {
                return Err(InvalidPrices(format!(
                    "{} has a negative price",
                    market.market
                )));
            }
            if market.countries.is_empty() && other.replace(place).is_some() {
                return Err(InvalidPrices("two markets name no countries".to_owned()));
            }
            for country in &market.countries {
                if countries.insert(country.clone(), place).is_some() {
                    return Err(InvalidPrices(format!("{country} is in two markets")));
                }
            }
        }
        let other = other.ok_or_else(|| {
            InvalidPrices("no market without countries stands for all others".to_owned())
        })?;
        Ok(Self {
            currency: table.currency,
            valid_from: table.valid_from,
            note: table.note,
            markets: table.markets,
            countries,
            other,
        })
    }

    /// What this many messages to each country cost.
    #[must_use]
    pub fn estimate(
        &self,
        category: &TemplateCategory,
        messages: &BTreeMap<String, u64>,
    ) -> Estimate {
        let countries: Vec<Line> = messages
            .iter()
            .map(|(country, count)| self.line(category, country, *count))
            .collect();
        Estimate {
            total_micros: countries.iter().map(|line| line.amount_micros).sum(),
            countries,
        }
    }

    fn line(&self, category: &TemplateCategory, country: &str, messages: u64) -> Line {
        let place = self.countries.get(country).copied().unwrap_or(self.other);
        let market = &self.markets[place];
        let price_micros = match category {
            TemplateCategory::Utility => market.utility,
            TemplateCategory::Authentication => market.authentication,
            // A category that is new to us is reckoned at the dearest price.
            TemplateCategory::Marketing | TemplateCategory::Other(_) => market.marketing,
        };
        let count = i64::try_from(messages).unwrap_or(i64::MAX);
        Line {
            country: country.to_owned(),
            market: market.market.clone(),
            messages,
            price_micros,
            amount_micros: price_micros.saturating_mul(count),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn messages(counts: &[(&str, u64)]) -> BTreeMap<String, u64> {
        counts
            .iter()
            .map(|(country, count)| ((*country).to_owned(), *count))
            .collect()
    }

    #[test]
    fn the_table_that_comes_along_is_valid_and_knows_the_big_markets() {
        let prices = Prices::shipped().unwrap();
        let alone = prices
            .markets
            .iter()
            .filter(|market| market.countries.len() == 1);
        assert!(alone.count() >= 40);
        assert_eq!(prices.currency, "USD");
        assert!(prices.note.contains("example"));
        for market in &prices.markets {
            assert!(market.marketing >= market.utility, "{}", market.market);
        }
    }

    #[test]
    fn the_price_goes_by_country_and_category() {
        let prices = Prices::shipped().unwrap();
        let counts = messages(&[("ID", 3), ("JM", 2), ("001", 1)]);
        let marketing = prices.estimate(&TemplateCategory::Marketing, &counts);
        let markets: Vec<_> = marketing
            .countries
            .iter()
            .map(|line| line.market.as_str())
            .collect();
        assert_eq!(markets, ["Other", "Indonesia", "Rest of Latin America"]);
        let indonesia = &marketing.countries[1];
        assert_eq!(indonesia.amount_micros, 3 * indonesia.price_micros);
        let utility = prices.estimate(&TemplateCategory::Utility, &counts);
        assert!(utility.total_micros < marketing.total_micros);
        let unknown = TemplateCategory::Other("new".into());
        assert_eq!(prices.estimate(&unknown, &counts), marketing);
        assert_eq!(prices.estimate(&unknown, &messages(&[])).total_micros, 0);
    }

    #[test]
    fn a_table_that_contradicts_itself_is_refused() {
        let table = |markets: &str| {
            let text = format!(
                r#"{{"note": "", "currency": "USD", "valid_from": "2026-10-01", "markets": [{markets}]}}"#
            );
            Prices::read(&text)
                .map(|_| ())
                .map_err(|error| error.to_string())
        };
        let market = |name: &str, countries: &str, price: i64| {
            format!(
                r#"{{"market": "{name}", "countries": [{countries}], "marketing": {price}, "utility": 1, "authentication": 1}}"#
            )
        };
        let other = market("Other", "", 1);
        assert_eq!(table(&other), Ok(()));
        let twice = format!(
            "{other}, {}, {}",
            market("A", r#""ID""#, 1),
            market("B", r#""ID""#, 1)
        );
        for (markets, word) in [
            (market("A", r#""ID""#, 1), "all others"),
            (format!("{other}, {other}"), "no countries"),
            (twice, "ID is in two markets"),
            (market("Other", "", -1), "negative"),
            ("{}".to_owned(), "missing field"),
        ] {
            let error = table(&markets).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }

    proptest! {
        #[test]
        fn stretches_add_up_to_the_whole(
            one in prop::collection::btree_map("[A-Z]{2}", 0_u64..1_000_000, 0..8),
            other in prop::collection::btree_map("[A-Z]{2}", 0_u64..1_000_000, 0..8),
        ) {
            let prices = Prices::shipped().unwrap();
            let total = |counts: &BTreeMap<String, u64>| {
                prices.estimate(&TemplateCategory::Marketing, counts).total_micros
            };
            let mut both = one.clone();
            for (country, count) in &other {
                *both.entry(country.clone()).or_default() += count;
            }
            prop_assert_eq!(total(&one) + total(&other), total(&both));
        }
    }
}
