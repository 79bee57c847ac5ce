//! Whether a message can go to a contact, and with which values; if not, why.

use domain::campaign::{Ended, Excluded};
use jiff::{SignedDuration, Timestamp};
use whatsapp::Again;

use crate::campaign::item::{Campaign, Person};
use crate::campaign::outcome::Outcome;
use crate::contact::Contact;

/// How long WhatsApp wants a person to be left alone who gets many marketing messages (Meta:
/// per-user marketing limits).
const REST: SignedDuration = SignedDuration::from_hours(24);

/// What a contact is planned with, or why it is left out.
pub(super) fn judge(campaign: &Campaign, contact: &Contact) -> Result<Person, Excluded> {
    if let Some(barred) = contact.barred() {
        return Err(barred);
    }
    let phone = contact.phone.clone().ok_or(Excluded::NoPhone)?;
    if phone.country().is_none() {
        return Err(Excluded::InvalidNumber);
    }
    let values = campaign
        .variables
        .fill(&campaign.template, &contact.profile())
        .map_err(Excluded::from)?;
    Ok(Person {
        contact: contact.id.clone(),
        phone,
        values,
    })
}

/// Whether a recipient of an earlier campaign may be written to again for ending there as it did.
pub(super) fn again(outcome: &Outcome, ended: Ended, now: Timestamp) -> Result<(), Excluded> {
    match ended {
        // A failure without a code of Meta's does not exist; it would be worth another try.
        Ended::Failed => match outcome.code.map_or(Again::Anytime, whatsapp::again) {
            Again::Never => Err(Excluded::NotRetryable),
            Again::AfterADay if now.duration_since(outcome.at) < REST => Err(Excluded::TooEarly),
            Again::AfterADay | Again::Anytime => Ok(()),
        },
        Ended::Replied => Ok(()),
    }
}
