//! Every error code Meta documents for the Cloud API (Meta: Cloud API error codes), with its one
//! meaning for us.
//!
//! Meta says which codes pass and which do not; whether a lasting one drops a person or stops a
//! campaign is our rule: **what would be refused for every recipient alike stops the campaign**,
//! because pausing at the first is kinder than ten thousand failures. Only codes known to mean
//! "not accepted" are `Slow` or `HoldPerson`, since these two are sent again. Codes that never
//! answer a send are listed too: they are shown to the owner with the same words.
//!
//! Not here: calling (138xxx), groups (1312xx) and template creation, which reports its number
//! as a subcode of 100 and comes with Meta's own sentence.

use super::{Again, ErrorClass};

pub(super) struct Row {
    pub(super) class: ErrorClass,
    pub(super) again: Again,
    pub(super) reason: &'static str,
}

macro_rules! table {
    ($($codes:pat => $class:ident, $again:ident, $reason:literal;)+) => {
        pub(super) fn row(code: i64) -> Option<Row> {
            let (class, again, reason) = match code {
                $($codes => (ErrorClass::$class, Again::$again, $reason),)+
                _ => return None,
            };
            Some(Row { class, again, reason })
        }
    };
}

table! {
    // Access: the token, its permissions, the account.
    0 | 102 | 104 | 190 => StopCampaign, Anytime, "WhatsApp no longer accepts this number's access. Connect the number again.";
    3 | 10 | 200..=299 | 131005 => StopCampaign, Anytime, "WhatsApp says permission for this is missing. Connect the number again and grant every permission.";
    33 | 803 | 2500 => StopCampaign, Anytime, "WhatsApp does not know this number any more, or it is no longer shared with us.";
    368 => StopCampaign, Anytime, "WhatsApp has restricted this account for breaking its policies.";
    131031 => StopCampaign, Anytime, "WhatsApp has locked this account. Look at the account's status in WhatsApp Manager.";
    131037 => StopCampaign, Anytime, "WhatsApp has not approved this number's display name yet.";
    131042 | 131044 => StopCampaign, Anytime, "WhatsApp could not charge for messages. Check the payment method in WhatsApp Manager.";
    131045 => StopCampaign, Anytime, "This number is not properly registered with WhatsApp.";
    131055 => StopCampaign, Never, "WhatsApp does not take this kind of message in this way.";
    131063 => StopCampaign, Anytime, "WhatsApp has switched off marketing templates for this account.";
    134011 => StopCampaign, Anytime, "WhatsApp's terms for payments have not been accepted.";

    // Speed and limits.
    4 => Slow, Anytime, "WhatsApp's limit of calls was reached.";
    80007 => Slow, Anytime, "WhatsApp's limit for this account was reached.";
    130429 => Slow, Anytime, "The number was sending faster than WhatsApp allows.";
    131057 => Slow, Anytime, "WhatsApp was working on this account for a moment.";
    2494100 => Slow, Anytime, "WhatsApp was working on this number for a moment.";
    131056 => HoldPerson, Anytime, "Too many messages were sent to this person at once.";
    131048 => StopCampaign, Anytime, "WhatsApp limits this number because people blocked it or reported it.";
    131064 => StopCampaign, Anytime, "WhatsApp limits this account because templates were filed under the wrong category. The limit ends by itself.";

    // Troubles of Meta's own, which do not say whether the message was taken.
    1 | 2 | 131000 => Unclear, Anytime, "WhatsApp had a problem of its own.";
    131016 | 133004 => Unclear, Anytime, "WhatsApp was not available for a moment.";

    // The person.
    130403 => DropPerson, Never, "Your business has blocked this person. Unblock them to write to them.";
    130472 => DropPerson, Never, "WhatsApp keeps this person out of marketing messages as part of an experiment.";
    130497 => DropPerson, Never, "This account may not write to people in this person's country.";
    131021 => DropPerson, Never, "The recipient is the sending number itself.";
    131026 => DropPerson, Never, "The message could not be delivered: the number may not be on WhatsApp, or the person cannot receive it.";
    131030 => DropPerson, Never, "A test number can only write to numbers on its list, and this one is not.";
    131047 => DropPerson, Never, "More than 24 hours have passed since this person last wrote. Send a template instead.";
    131049 => DropPerson, AfterADay, "WhatsApp held this message back because this person gets many marketing messages. It can be tried again after 24 hours.";
    131050 => DropPerson, Never, "This person has stopped marketing messages from your business.";
    131060 => DropPerson, Never, "The person's message came from a device WhatsApp does not support here.";
    131062 => DropPerson, Never, "This message needs a phone number, and this person's is hidden.";
    137000 => DropPerson, Never, "This person's identity on WhatsApp has changed and must be checked first.";

    // The content, where it can differ from person to person.
    100 => DropPerson, Never, "WhatsApp did not accept a part of this message.";
    131008 => DropPerson, Never, "A part of this message that WhatsApp requires was missing.";
    131009 => DropPerson, Never, "WhatsApp did not accept a value in this message.";
    131051 => DropPerson, Never, "WhatsApp does not support this kind of message.";
    131052 => DropPerson, Anytime, "WhatsApp could not fetch this message's file.";
    131053 => DropPerson, Never, "WhatsApp did not accept this message's file. Its type or size may be wrong.";
    131059 => DropPerson, Never, "The position in WhatsApp's list is no longer valid.";
    132005 => DropPerson, Never, "With this person's values the message is too long.";
    132007 => DropPerson, Never, "WhatsApp refused the content of this message because of its policies.";
    132008 | 132018 => DropPerson, Never, "WhatsApp did not accept one of this person's values for the template.";
    135000 => DropPerson, Anytime, "WhatsApp did not accept this message and did not say why.";
    139000..=139004 => DropPerson, Never, "WhatsApp could not send this message's form.";
    139100..=139103 => DropPerson, Never, "WhatsApp could not change the list of blocked people.";
    139200 => DropPerson, Never, "WhatsApp blocked the content of this message.";

    // The template.
    132000 | 132012 => StopCampaign, Anytime, "The template at WhatsApp no longer has the variables this message fills. Refresh the templates.";
    132001 | 141002 => StopCampaign, Anytime, "WhatsApp has no approved template of this name and language.";
    132015 => StopCampaign, Anytime, "WhatsApp has paused this template because of low quality.";
    132016 => StopCampaign, Never, "WhatsApp has disabled this template for good. Use another one.";
    132068 => StopCampaign, Never, "WhatsApp has blocked the form in this template.";
    132069 => StopCampaign, Anytime, "WhatsApp allows only a few messages an hour with this form at the moment.";
    131058 => StopCampaign, Never, "WhatsApp's sample template can only be sent from a test number.";
    131061 | 134100..=134102 => StopCampaign, Never, "This template can only be sent through WhatsApp's marketing messages service.";

    // The number's registration. None of these answers a send, except 133010.
    133000 => StopCampaign, Anytime, "Removing this number from WhatsApp was not finished. Remove it again, then register it.";
    133005 => StopCampaign, Anytime, "The number's two-step code is wrong.";
    133006 => StopCampaign, Anytime, "The number must be verified before it is registered.";
    133008 | 133009 => StopCampaign, Anytime, "The number's two-step code was tried too often. Wait before the next try.";
    133010 => StopCampaign, Anytime, "This number is not registered with WhatsApp's Cloud API.";
    133015 => StopCampaign, Anytime, "This number was removed from WhatsApp a moment ago. Wait five minutes.";
    133016 => StopCampaign, Anytime, "This number was registered too often. WhatsApp asks to wait three days.";
    136024 | 136025 => StopCampaign, Anytime, "The verification code could not be sent or was wrong.";
    147001..=147005 => StopCampaign, Anytime, "WhatsApp did not accept the username.";
    2388001 | 2388012 | 2388091 | 2388093 | 2388103 => StopCampaign, Anytime, "This number could not be moved to another account.";
    2593107..=2593109 => StopCampaign, Anytime, "WhatsApp could not share this number's history.";
}
