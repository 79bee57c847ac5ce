//! Meta's fixed vocabularies for templates, as enums that never fail to parse.
//!
//! Meta adds values without notice, and a template list that cannot be read would stop every
//! campaign; so each vocabulary keeps an unknown word as it came. Words are lower case here,
//! whatever the case they arrive in.

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        pub enum $name {
            $($variant,)+
            /// A word this version does not know.
            Other(String),
        }

        impl $name {
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                let word = word.to_ascii_lowercase();
                match word.as_str() {
                    $($word => Self::$variant,)+
                    _ => Self::Other(word),
                }
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                Self::from(word.as_str())
            }
        }

        impl From<$name> for String {
            fn from(word: $name) -> Self {
                word.as_str().to_owned()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// Where a template stands in Meta's review (Meta: template status).
    TemplateStatus {
        Pending = "pending",
        Approved = "approved",
        Rejected = "rejected",
        Paused = "paused",
        Disabled = "disabled",
        InAppeal = "in_appeal",
        LimitExceeded = "limit_exceeded",
        PendingDeletion = "pending_deletion",
        Deleted = "deleted",
        Archived = "archived",
    }
}

words! {
    /// What Meta bills and limits a template as.
    TemplateCategory {
        Authentication = "authentication",
        Utility = "utility",
        Marketing = "marketing",
    }
}

words! {
    /// Whether variables are `{{1}}` or `{{first_name}}`.
    ParameterFormat {
        Positional = "positional",
        Named = "named",
    }
}
