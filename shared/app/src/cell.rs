//! One cell of a CSV file that we hand out.

use std::borrow::Cow;

/// Spreadsheets run cells that begin like a formula; a leading apostrophe makes them text.
pub(crate) fn harmless(value: &str) -> Cow<'_, str> {
    if value.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        Cow::Owned(format!("'{value}"))
    } else {
        Cow::Borrowed(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_like_a_formula_is_only_text() {
        for value in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(harmless(value), format!("'{value}"));
        }
        for value in ["", "Ada", "1-2", "a=b", "'=1"] {
            assert_eq!(harmless(value), value);
        }
    }
}
