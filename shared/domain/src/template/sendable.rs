//! Whether a template can be sent at all, and if not, why, in words for the person who chose it.

use super::{Button, Template, TemplateStatus};

/// Why a template cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSendable {
    #[error("WhatsApp has not approved this template: it is {}", in_words(.status))]
    NotApproved { status: TemplateStatus },
    #[error("templates with a part of the kind \"{kind}\" cannot be sent from here yet")]
    Component { kind: String },
    #[error("templates with a button of the kind \"{kind}\" cannot be sent from here yet")]
    Button { kind: String },
}

/// Refuses what Meta would refuse, and what needs content a campaign cannot give it yet.
pub fn sendable(template: &Template) -> Result<(), NotSendable> {
    if template.status != TemplateStatus::Approved {
        let status = template.status.clone();
        return Err(NotSendable::NotApproved { status });
    }
    if let Some(kind) = template.components.unsupported.first() {
        return Err(NotSendable::Component { kind: plain(kind) });
    }
    let mut buttons = template.components.buttons.iter();
    match buttons.find_map(unsendable_kind) {
        Some(kind) => Err(NotSendable::Button { kind: plain(kind) }),
        None => Ok(()),
    }
}

/// A button of an unknown kind may need a parameter we do not know how to give; these two are
/// known to need none (Meta: button parameters).
fn unsendable_kind(button: &Button) -> Option<&str> {
    match button {
        Button::Other { kind, .. } => {
            let harmless = matches!(kind.as_str(), "voice_call" | "request_contact_info");
            (!harmless).then_some(kind.as_str())
        }
        Button::Url { .. }
        | Button::QuickReply { .. }
        | Button::PhoneNumber { .. }
        | Button::CopyCode { .. } => None,
    }
}

fn in_words(status: &TemplateStatus) -> String {
    match status {
        TemplateStatus::Approved => "approved".to_owned(),
        TemplateStatus::Pending => "still in review".to_owned(),
        TemplateStatus::Rejected => "rejected".to_owned(),
        TemplateStatus::Paused => "paused because of low quality".to_owned(),
        TemplateStatus::Disabled => "disabled".to_owned(),
        TemplateStatus::InAppeal => "under appeal".to_owned(),
        TemplateStatus::LimitExceeded => "over the account's limit of templates".to_owned(),
        TemplateStatus::PendingDeletion => "about to be deleted".to_owned(),
        TemplateStatus::Deleted => "deleted".to_owned(),
        TemplateStatus::Archived => "archived".to_owned(),
        TemplateStatus::Other(word) => plain(word),
    }
}

fn plain(kind: &str) -> String {
    kind.replace('_', " ")
}
