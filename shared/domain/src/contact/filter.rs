//! A filter: conditions on the data of a contact, all of which it must meet.
//!
//! Texts are compared whatever their case. What a contact does not have is no text at all: it is
//! nothing, begins with nothing and contains nothing, so `is_not` holds for it.

mod moment;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ATTRIBUTE_VALUE_MAX, InvalidField, Profile, attribute_key};
use crate::template::{ContactField, Person};

pub use moment::Moment;

/// The most conditions of one filter.
pub const CONDITIONS_MAX: usize = 20;

/// Conditions that must all hold. Without any, it lets everybody pass.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Filter(Vec<Condition>);

/// One condition: `{"attribute": "city", "is": "Bandung"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Condition {
    #[serde(flatten)]
    subject: Subject,
    #[serde(flatten)]
    test: Test,
}

/// What a condition looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Subject {
    Field(Field),
    Attribute(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Field {
    Name,
    Phone,
    Email,
    CreatedAt,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Test {
    Is(String),
    IsNot(String),
    Contains(String),
    StartsWith(String),
    Exists(bool),
    Before(Moment),
    After(Moment),
}

/// A condition as a caller writes it; [`Filter::parse`] says what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConditionForm {
    /// `name`, `phone`, `email` or `created_at`.
    pub field: Option<String>,
    /// The key of an attribute.
    pub attribute: Option<String>,
    pub is: Option<String>,
    pub is_not: Option<String>,
    pub contains: Option<String>,
    pub starts_with: Option<String>,
    pub exists: Option<bool>,
    /// A day (`2026-11-25`, in UTC) or an instant (`2026-11-25T09:30:00Z`).
    pub before: Option<String>,
    pub after: Option<String>,
}

impl Filter {
    /// Reads the conditions of a filter.
    ///
    /// # Errors
    /// Every field at fault, such as `filter.0.field`.
    pub fn parse(forms: &[ConditionForm]) -> Result<Self, Vec<InvalidField>> {
        if forms.len() > CONDITIONS_MAX {
            let message = format!("a filter has at most {CONDITIONS_MAX} conditions");
            return Err(vec![InvalidField::new("filter", message)]);
        }
        let mut conditions = Vec::with_capacity(forms.len());
        let mut refused = Vec::new();
        for (place, form) in forms.iter().enumerate() {
            match condition(form) {
                Ok(condition) => conditions.push(condition),
                Err((field, message)) => {
                    let dot = if field.is_empty() { "" } else { "." };
                    refused.push(InvalidField::new(
                        format!("filter.{place}{dot}{field}"),
                        message,
                    ));
                }
            }
        }
        if refused.is_empty() {
            Ok(Self(conditions))
        } else {
            Err(refused)
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a contact meets every condition.
    #[must_use]
    pub fn matches(&self, profile: &Profile<'_>, created_at: Timestamp) -> bool {
        self.0
            .iter()
            .all(|condition| condition.holds(profile, created_at))
    }
}

impl Condition {
    fn holds(&self, profile: &Profile<'_>, created_at: Timestamp) -> bool {
        let value = match &self.subject {
            Subject::Field(Field::CreatedAt) => {
                return self.test.holds_at(Moment::Instant(created_at));
            }
            Subject::Field(Field::Name) => profile.field(ContactField::Name),
            Subject::Field(Field::Phone) => profile.field(ContactField::Phone),
            Subject::Field(Field::Email) => profile.field(ContactField::Email),
            Subject::Attribute(key) => profile.attribute(key),
        };
        self.test.holds(value)
    }
}

impl Test {
    fn holds(&self, value: Option<&str>) -> bool {
        let text = |matches: fn(&str, &str) -> bool, wanted: &str| {
            value.is_some_and(|value| matches(&value.to_lowercase(), &wanted.to_lowercase()))
        };
        match self {
            Self::Is(wanted) => text(|value, wanted| value == wanted, wanted),
            Self::IsNot(wanted) => !text(|value, wanted| value == wanted, wanted),
            Self::Contains(wanted) => text(|value, wanted| value.contains(wanted), wanted),
            Self::StartsWith(wanted) => text(|value, wanted| value.starts_with(wanted), wanted),
            Self::Exists(wanted) => value.is_some() == *wanted,
            Self::Before(_) | Self::After(_) => value
                .and_then(|value| value.parse().ok())
                .is_some_and(|moment| self.holds_at(moment)),
        }
    }

    fn holds_at(&self, moment: Moment) -> bool {
        match self {
            Self::Before(wanted) => moment.is_before(wanted),
            Self::After(wanted) => wanted.is_before(&moment),
            Self::Exists(wanted) => *wanted,
            // Refused when the filter is read.
            Self::Is(_) | Self::IsNot(_) | Self::Contains(_) | Self::StartsWith(_) => false,
        }
    }
}

/// The field of the condition that is at fault, empty for the condition itself, and what is wrong.
type Fault = (&'static str, String);

fn condition(form: &ConditionForm) -> Result<Condition, Fault> {
    let subject = subject(form)?;
    let test = test(form)?;
    let is_time = subject == Subject::Field(Field::CreatedAt);
    match &test {
        Test::Before(_) | Test::After(_) => {
            if let Subject::Field(Field::Name | Field::Phone | Field::Email) = subject {
                let message = "this field is no time; use before and after with created_at or an attribute that holds dates";
                return Err((form.test_name(), message.to_owned()));
            }
        }
        Test::Is(_)
        | Test::IsNot(_)
        | Test::Contains(_)
        | Test::StartsWith(_)
        | Test::Exists(_) => {
            if is_time {
                let message = "created_at is a time that every contact has; use before or after";
                return Err((form.test_name(), message.to_owned()));
            }
        }
    }
    Ok(Condition { subject, test })
}

fn subject(form: &ConditionForm) -> Result<Subject, Fault> {
    match (&form.field, &form.attribute) {
        (Some(field), None) => match field.as_str() {
            "name" => Ok(Subject::Field(Field::Name)),
            "phone" => Ok(Subject::Field(Field::Phone)),
            "email" => Ok(Subject::Field(Field::Email)),
            "created_at" => Ok(Subject::Field(Field::CreatedAt)),
            _ => Err((
                "field",
                "a field is name, phone, email or created_at; anything else is an attribute"
                    .to_owned(),
            )),
        },
        (None, Some(key)) => attribute_key(key)
            .map(Subject::Attribute)
            .map_err(|refused| ("attribute", refused.message)),
        (None, None) | (Some(_), Some(_)) => Err((
            "",
            "a condition looks at one field or one attribute".to_owned(),
        )),
    }
}

fn test(form: &ConditionForm) -> Result<Test, Fault> {
    let mut tests = [
        form.is
            .as_deref()
            .map(|value| text("is", value).map(Test::Is)),
        form.is_not
            .as_deref()
            .map(|value| text("is_not", value).map(Test::IsNot)),
        form.contains
            .as_deref()
            .map(|value| text("contains", value).map(Test::Contains)),
        form.starts_with
            .as_deref()
            .map(|value| text("starts_with", value).map(Test::StartsWith)),
        form.exists.map(|exists| Ok(Test::Exists(exists))),
        form.before
            .as_deref()
            .map(|value| moment("before", value).map(Test::Before)),
        form.after
            .as_deref()
            .map(|value| moment("after", value).map(Test::After)),
    ]
    .into_iter()
    .flatten();
    match (tests.next(), tests.next()) {
        (Some(test), None) => test,
        (None, _) | (_, Some(_)) => Err((
            "",
            "a condition has one of is, is_not, contains, starts_with, exists, before and after"
                .to_owned(),
        )),
    }
}

fn text(name: &'static str, value: &str) -> Result<String, Fault> {
    let value = value.trim();
    if value.is_empty() {
        let message = "say which text; whether there is any is asked with exists";
        return Err((name, message.to_owned()));
    }
    if value.chars().count() > ATTRIBUTE_VALUE_MAX {
        let message = format!("at most {ATTRIBUTE_VALUE_MAX} characters are allowed");
        return Err((name, message));
    }
    Ok(value.to_owned())
}

fn moment(name: &'static str, value: &str) -> Result<Moment, Fault> {
    value.parse().map_err(|_| {
        let message =
            "write a day like 2026-11-25 or an instant like 2026-11-25T09:30:00Z".to_owned();
        (name, message)
    })
}

impl ConditionForm {
    /// The name of the test that is given.
    fn test_name(&self) -> &'static str {
        [
            ("is", self.is.is_some()),
            ("is_not", self.is_not.is_some()),
            ("contains", self.contains.is_some()),
            ("starts_with", self.starts_with.is_some()),
            ("exists", self.exists.is_some()),
            ("before", self.before.is_some()),
            ("after", self.after.is_some()),
        ]
        .into_iter()
        .find_map(|(name, given)| given.then_some(name))
        .unwrap_or_default()
    }
}
