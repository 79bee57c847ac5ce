//! The people of the simulated world, as far as somebody has decided what they are like. Everybody else
//! shows their number and does what the settings and chance say.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::ids;

/// What one person is like, and what they decided about the businesses they know.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Person {
    /// The name in their profile.
    pub(crate) name: Option<String>,
    pub(crate) shows: Shows,
    pub(crate) reads: Habit,
    /// Whether they listen to the voice notes that they have read.
    pub(crate) plays: Habit,
    /// The business numbers that they have blocked.
    pub(crate) blocked: BTreeSet<String>,
    /// The business numbers whose marketing they have stopped.
    pub(crate) stopped: BTreeSet<String>,
    /// The number that they have instead of this one, which then is on WhatsApp no more.
    pub(crate) moved_to: Option<String>,
}

/// By what businesses know a person (Meta: business-scoped user ids).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Shows {
    #[default]
    Number,
    /// The number and the user id.
    Both,
    /// The user id alone: they have a username, and hide their number.
    UserId,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Habit {
    #[default]
    ByChance,
    Always,
    Never,
}

/// How a person appears in webhooks and answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Appearance {
    pub(crate) name: Cow<'static, str>,
    /// Their number in digits, unless they hide it.
    pub(crate) wa_id: Option<String>,
    pub(crate) user_id: Option<String>,
}

/// Everybody who is not like everybody else, by the digits of their number.
pub(crate) struct People {
    seed: u64,
    people: BTreeMap<String, Person>,
    /// Numbers by user id.
    numbers: HashMap<String, String>,
}

impl Habit {
    /// What the habit decides, where chance would have decided `otherwise`.
    pub(crate) fn or(self, otherwise: bool) -> bool {
        match self {
            Habit::ByChance => otherwise,
            Habit::Always => true,
            Habit::Never => false,
        }
    }
}

impl Appearance {
    /// Somebody of whom nothing is known but the number.
    pub(crate) fn of_number(wa_id: &str) -> Self {
        Self {
            name: Cow::Borrowed(name_of(wa_id)),
            wa_id: Some(wa_id.to_owned()),
            user_id: None,
        }
    }
}

impl People {
    pub(crate) fn new(seed: u64, known: impl IntoIterator<Item = (String, Person)>) -> Self {
        let mut people = Self {
            seed,
            people: BTreeMap::new(),
            numbers: HashMap::new(),
        };
        for (number, person) in known {
            people.put(&number, person);
        }
        people
    }

    pub(crate) fn get(&self, number: &str) -> Person {
        self.people.get(number).cloned().unwrap_or_default()
    }

    pub(crate) fn put(&mut self, number: &str, person: Person) {
        if person.shows != Shows::Number {
            self.numbers.insert(self.user_id(number), number.to_owned());
        }
        self.people.insert(number.to_owned(), person);
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (&String, &Person)> {
        self.people.iter()
    }

    /// Whose user id this is. One of another portfolio, or one that nobody was shown, is nobody's.
    pub(crate) fn number_of(&self, user_id: &str) -> Option<&String> {
        self.numbers.get(user_id)
    }

    /// Another number makes another user id, as at Meta.
    pub(crate) fn user_id(&self, number: &str) -> String {
        ids::user_id(self.seed, number)
    }

    /// `None` for somebody who is like everybody else.
    pub(crate) fn appearance(&self, number: &str) -> Option<Appearance> {
        let person = self.people.get(number)?;
        let usual = Appearance::of_number(number);
        Some(Appearance {
            name: person.name.clone().map_or(usual.name, Cow::Owned),
            wa_id: usual.wa_id.filter(|_| person.shows != Shows::UserId),
            user_id: (person.shows != Shows::Number).then(|| self.user_id(number)),
        })
    }
}

/// The profile name of a person who has not told another one.
fn name_of(wa_id: &str) -> &'static str {
    const NAMES: [&str; 8] = [
        "Ada", "Budi", "Citra", "Dewi", "Eka", "Farid", "Grace", "Hana",
    ];
    let sum: usize = wa_id.bytes().map(usize::from).sum();
    NAMES[sum % NAMES.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_number_is_found_by_the_user_id_that_was_shown() {
        let mut people = People::new(1, []);
        let user_id = people.user_id("6281200000001");
        assert!(
            user_id.starts_with("US.") && user_id.len() == 23,
            "{user_id}"
        );
        assert_eq!(people.number_of(&user_id), None, "nobody was shown it");
        let hidden = Person {
            shows: Shows::UserId,
            ..Person::default()
        };
        people.put("6281200000001", hidden);
        assert_eq!(people.number_of(&user_id).unwrap(), "6281200000001");
        let appearance = people.appearance("6281200000001").unwrap();
        assert_eq!(
            (appearance.wa_id, appearance.user_id),
            (None, Some(user_id))
        );
        assert_eq!(people.appearance("6281200000002"), None);
    }
}
