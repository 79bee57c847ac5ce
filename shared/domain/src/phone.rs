//! Phone numbers, the only place that knows how one is read.

use serde::{Deserialize, Serialize};

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat};

/// A valid number in E.164 form, with its plus: `+6281234567890`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Phone(String);

/// A country whose numbers may be written without their country code, as two letters: `ID`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Region(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPhone {
    #[error("a phone number is required")]
    Missing,
    #[error(
        "this is not a valid phone number; write it with its country code, like +6281234567890"
    )]
    Invalid,
    #[error("this is not a known region; use a two-letter country code, like ID")]
    UnknownRegion,
}

impl Phone {
    /// Reads a number as people write it: valid as it stands or within the region, or as
    /// international digits that lack only the plus.
    ///
    /// # Errors
    /// Says whether the number is missing or not valid.
    pub fn parse(text: &str, region: Option<&Region>) -> Result<Self, InvalidPhone> {
        let text = text.trim();
        if text.is_empty() {
            return Err(InvalidPhone::Missing);
        }
        valid(text, region.and_then(|region| known(&region.0)))
            .or_else(|| {
                (!text.starts_with('+'))
                    .then(|| valid(&format!("+{text}"), None))
                    .flatten()
            })
            .ok_or(InvalidPhone::Invalid)
    }

    /// E.164 with the plus.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The country by the numbering plan, as two letters (`ID`), or `001` where a code belongs to no
    /// country. `None` when the number is in no plan that is known.
    #[must_use]
    pub fn country(&self) -> Option<String> {
        let number = PHONE_NUMBER_UTIL.parse(&self.0, None).ok()?;
        let region = PHONE_NUMBER_UTIL.get_region_for_number(&number)?;
        PHONE_NUMBER_UTIL
            .is_valid_number_for_region(&number, region)
            .then(|| region.to_string())
    }

    /// The digits as people of the number's country dial them: `081234567890`.
    #[must_use]
    pub fn national(&self) -> Option<String> {
        let number = PHONE_NUMBER_UTIL.parse(&self.0, None).ok()?;
        let written = PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::National);
        Some(written.chars().filter(char::is_ascii_digit).collect())
    }

    /// The digits alone, the form Meta calls `wa_id`.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0[1..]
    }

    /// The number that a `wa_id` stands for, as Meta writes it. It is not judged: Meta delivers from
    /// numbers that no numbering plan knows.
    ///
    /// # Errors
    /// It does not have the shape of a number.
    pub fn of_wa_id(wa_id: &str) -> Result<Self, InvalidPhone> {
        format!("+{wa_id}").try_into()
    }

    /// The other notation of a mobile number in countries where WhatsApp's ids and the numbers people
    /// write differ by one digit: Brazil's 9 after the area code, Mexico's 1 and Argentina's 9 after
    /// the country code (Meta: sending messages, `wa_id`).
    #[must_use]
    pub fn twin(&self) -> Option<Self> {
        let digits = self.digits();
        let inserted = |at: usize, digit: char| {
            let (before, after) = digits.split_at(at);
            format!("+{before}{digit}{after}")
        };
        let removed = |at: usize| format!("+{}{}", &digits[..at], &digits[at + 1..]);
        let digit = |at: usize| digits.as_bytes().get(at).copied();
        let twin = match (&digits[..2], digits.len()) {
            ("55", 13) if digit(4) == Some(b'9') => removed(4),
            // Only mobile numbers have a twin; those begin with 6 to 9 after the area code.
            ("55", 12) if matches!(digit(4), Some(b'6'..=b'9')) => inserted(4, '9'),
            ("52", 13) if digit(2) == Some(b'1') => removed(2),
            ("52", 12) => inserted(2, '1'),
            ("54", 13) if digit(2) == Some(b'9') => removed(2),
            ("54", 12) => inserted(2, '9'),
            _ => return None,
        };
        Some(Self(twin))
    }
}

impl Region {
    /// # Errors
    /// The region is not one that has phone numbers.
    pub fn parse(text: &str) -> Result<Self, InvalidPhone> {
        let code = text.trim().to_ascii_uppercase();
        match known(&code) {
            Some(_) => Ok(Self(code)),
            None => Err(InvalidPhone::UnknownRegion),
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Reads a number back that was valid when it was stored. Only its shape is checked: numbering plans
/// change, and what was stored must stay readable.
impl TryFrom<String> for Phone {
    type Error = InvalidPhone;

    fn try_from(text: String) -> Result<Self, InvalidPhone> {
        let digits = text.strip_prefix('+').unwrap_or_default();
        let shaped = (5..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        if shaped {
            Ok(Self(text))
        } else {
            Err(InvalidPhone::Invalid)
        }
    }
}

impl From<Phone> for String {
    fn from(phone: Phone) -> String {
        phone.0
    }
}

impl std::fmt::Display for Phone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Logs may show a phone only by its last three digits.
impl std::fmt::Debug for Phone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Phone(…{})", &self.0[self.0.len().saturating_sub(3)..])
    }
}

impl TryFrom<String> for Region {
    type Error = InvalidPhone;

    fn try_from(text: String) -> Result<Self, InvalidPhone> {
        Self::parse(&text)
    }
}

impl From<Region> for String {
    fn from(region: Region) -> String {
        region.0
    }
}

fn known(code: &str) -> Option<rlibphonenumber::Region> {
    let region = code.parse().ok()?;
    PHONE_NUMBER_UTIL
        .get_country_code_for_region(region)
        .map(|_| region)
}

fn valid(text: &str, region: Option<rlibphonenumber::Region>) -> Option<Phone> {
    let number = PHONE_NUMBER_UTIL.parse(text, region).ok()?;
    if !PHONE_NUMBER_UTIL.is_valid_number(&number) {
        return None;
    }
    let text = PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164);
    Some(Phone(text.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indonesia() -> Region {
        Region::parse("id").unwrap()
    }

    #[test]
    fn a_number_is_read_in_every_way_people_write_it() {
        for text in [
            "+62 812-3456-7890",
            "081234567890",
            "6281234567890",
            " +62 (812) 34567890 ",
        ] {
            let phone = Phone::parse(text, Some(&indonesia())).unwrap();
            assert_eq!(phone.as_str(), "+6281234567890", "{text}");
            assert_eq!(phone.digits(), "6281234567890");
        }
    }

    #[test]
    fn what_is_valid_within_the_region_is_read_there_first() {
        let phone = Phone::parse("62812318955", Some(&indonesia())).unwrap();
        assert_eq!(phone.as_str(), "+6262812318955");
    }

    #[test]
    fn foreign_digits_without_a_plus_are_read_as_international() {
        let phone = Phone::parse("2348021948219", Some(&indonesia())).unwrap();
        assert_eq!(phone.as_str(), "+2348021948219");
    }

    #[test]
    fn what_is_not_a_number_is_refused_with_the_reason() {
        assert_eq!(Phone::parse("  ", None), Err(InvalidPhone::Missing));
        assert_eq!(
            Phone::parse("12", Some(&indonesia())),
            Err(InvalidPhone::Invalid)
        );
        assert_eq!(Phone::parse("hello", None), Err(InvalidPhone::Invalid));
        assert_eq!(Region::parse("XX"), Err(InvalidPhone::UnknownRegion));
    }

    #[test]
    fn a_number_s_country_is_that_of_its_plan_and_not_of_its_code_alone() {
        let country = |text: &str| Phone::try_from(text.to_owned()).unwrap().country();
        assert_eq!(country("+6281234567890").as_deref(), Some("ID"));
        assert_eq!(country("+12025550123").as_deref(), Some("US"));
        assert_eq!(country("+14165550123").as_deref(), Some("CA"));
        assert_eq!(country("+18762101234").as_deref(), Some("JM"));
        assert_eq!(country("+79161234567").as_deref(), Some("RU"));
        assert_eq!(country("+77011234567").as_deref(), Some("KZ"));
        assert_eq!(country("+99912345678"), None);
        assert_eq!(country("+62811"), None);
    }

    #[test]
    fn a_number_and_whatsapp_s_id_of_it_are_twins() {
        for (number, id) in [
            ("5511987654321", "551187654321"),
            ("525512345678", "5215512345678"),
            ("5491112345678", "541112345678"),
        ] {
            let (number, id) = (Phone::of_wa_id(number), Phone::of_wa_id(id));
            assert_eq!(number.clone().unwrap().twin(), id.clone().ok());
            assert_eq!(id.unwrap().twin(), number.ok());
        }
        // A landline in Brazil, and countries without the difference.
        for digits in ["551133334444", "6281234567890", "49301234567"] {
            assert_eq!(Phone::of_wa_id(digits).unwrap().twin(), None, "{digits}");
        }
        assert!(Phone::of_wa_id("US.1234567").is_err());
    }

    #[test]
    fn a_log_shows_only_the_last_digits() {
        let phone = Phone::parse("+62812318955", None).unwrap();
        assert_eq!(format!("{phone:?}"), "Phone(…955)");
    }
}
