//! What happens to webhooks on their way, as the settings have it: told twice, or overtaken.

use crate::chance::Draws;
use crate::fate::Step;
use crate::ledger::Message;
use crate::settings::Settings;

/// The longest a second telling follows the first one.
const LONGEST_ECHO_MS: u64 = 5000;

/// How long a status is held back so that others overtake it.
pub(crate) fn held_back(settings: &Settings, message: &Message, step: Step) -> i64 {
    let share = settings.disorder.shuffle_share;
    if share <= 0.0 {
        return 0;
    }
    let what = ["held back:", &message.recipient, step.name()];
    let mut draws = Draws::new(settings.seed, message.nth, &what);
    if draws.hits(share) {
        draws.between(settings.disorder.shuffle_ms)
    } else {
        0
    }
}

/// When something that is told at `at_ms` is told again, if it is. It is the `nth` of its kind for
/// this person.
pub(crate) fn told_again(
    settings: &Settings,
    nth: u32,
    [person, what]: [&str; 2],
    at_ms: i64,
) -> Option<i64> {
    let share = settings.disorder.duplicate_share;
    if share <= 0.0 {
        return None;
    }
    let mut draws = Draws::new(settings.seed, nth, &["told again:", person, what]);
    draws
        .hits(share)
        .then(|| at_ms + draws.between((0, LONGEST_ECHO_MS)))
}
