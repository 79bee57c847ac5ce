//! What mails say, in English and Indonesian, as plain text and as a page.

use domain::language::Language;
use domain::workspace::Role;

use crate::ports::Letter;

/// The longest a name that somebody else chose may be in a mail.
const NAME_MAX: usize = 80;

/// The parts of a mail: it says something, offers one link, and ends with what else there is to know.
#[derive(Debug)]
pub(crate) struct Words {
    language: Language,
    subject: String,
    greeting: String,
    body: String,
    button: &'static str,
    url: String,
    ending: &'static str,
}

/// Somebody forgot their password.
pub(super) fn password_reset(language: Language, name: &str, url: String) -> Words {
    match language {
        Language::English => Words {
            language,
            subject: "Set a new password for Blazz".to_owned(),
            greeting: format!("Hello {},", short(name)),
            body: "somebody asked for a new password for your account. If it was you, set it here \
                   within an hour:"
                .to_owned(),
            button: "Set a new password",
            url,
            ending: "If it was not you, there is nothing to do: your password stays as it is.",
        },
        Language::Indonesian => Words {
            language,
            subject: "Atur kata sandi baru untuk Blazz".to_owned(),
            greeting: format!("Halo {},", short(name)),
            body: "seseorang meminta kata sandi baru untuk akun Anda. Jika itu Anda, atur di sini \
                   dalam satu jam:"
                .to_owned(),
            button: "Atur kata sandi baru",
            url,
            ending: "Jika bukan Anda, abaikan saja: kata sandi Anda tidak berubah.",
        },
    }
}

/// Somebody is invited to a workspace.
pub(crate) fn invitation(
    language: Language,
    inviter: &str,
    workspace: &str,
    role: Role,
    url: String,
) -> Words {
    let (inviter, workspace) = (short(inviter), short(workspace));
    match language {
        Language::English => Words {
            language,
            subject: format!("{inviter} invites you to {workspace}"),
            greeting: "Hello,".to_owned(),
            body: format!(
                "{inviter} invites you to join the workspace {workspace} on Blazz as {}. The \
                 invitation is good for seven days:",
                role_in_english(role)
            ),
            button: "See the invitation",
            url,
            ending: "If you know nothing of this, there is nothing to do.",
        },
        Language::Indonesian => Words {
            language,
            subject: format!("{inviter} mengundang Anda ke {workspace}"),
            greeting: "Halo,".to_owned(),
            body: format!(
                "{inviter} mengundang Anda untuk bergabung dengan ruang kerja {workspace} di Blazz \
                 sebagai {}. Undangan ini berlaku tujuh hari:",
                role_in_indonesian(role)
            ),
            button: "Lihat undangan",
            url,
            ending: "Jika Anda tidak mengetahui hal ini, abaikan saja.",
        },
    }
}

fn role_in_english(role: Role) -> &'static str {
    match role {
        Role::Owner => "an owner",
        Role::Admin => "an admin",
        Role::Agent => "an agent",
    }
}

fn role_in_indonesian(role: Role) -> &'static str {
    match role {
        Role::Owner => "pemilik",
        Role::Admin => "admin",
        Role::Agent => "agen",
    }
}

impl Words {
    pub(crate) fn letter(self, to: String) -> Letter {
        let text = format!(
            "{}\n\n{}\n\n{}\n\n{}\n",
            self.greeting, self.body, self.url, self.ending
        );
        let html = format!(
            "<!doctype html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\"><title>{}</title></head>\
             <body style=\"font-family:sans-serif;line-height:1.5;max-width:32em;margin:2em auto;padding:0 1em\">\n\
             <p>{}</p>\n<p>{}</p>\n<p><a href=\"{}\">{}</a></p>\n<p>{}</p>\n</body></html>\n",
            self.language.as_str(),
            escaped(&self.subject),
            escaped(&self.greeting),
            escaped(&self.body),
            escaped(&self.url),
            escaped(self.button),
            escaped(self.ending),
        );
        Letter {
            to,
            subject: self.subject,
            text,
            html,
        }
    }
}

/// A name that fits a line: without line breaks, which would end a header, and not a letter by itself.
fn short(name: &str) -> String {
    let words: Vec<_> = name
        .split(|c: char| c.is_control() || c.is_whitespace())
        .collect();
    words.join(" ").chars().take(NAME_MAX).collect()
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_write_into_the_page_or_the_subject() {
        let name = "<script>\"x\"</script>\r\nBcc: all@example.com";
        let words = invitation(
            Language::English,
            name,
            "A & B",
            Role::Admin,
            "https://blazz.example/invitation#t".to_owned(),
        );
        let letter = words.letter("a@example.com".to_owned());
        assert!(!letter.subject.contains(['\r', '\n']));
        assert!(!letter.html.contains("<script>"));
        assert!(letter.html.contains("A &amp; B"));
        assert!(letter.text.contains("A & B"));
        assert!(letter.text.contains("https://blazz.example/invitation#t"));
    }

    #[test]
    fn both_languages_offer_the_link() {
        for language in [Language::English, Language::Indonesian] {
            let letter = password_reset(language, "Sari", "https://x/password#t".to_owned())
                .letter("sari@example.com".to_owned());
            assert!(letter.text.contains("https://x/password#t"));
            let lang = format!("lang=\"{}\"", language.as_str());
            assert!(letter.html.contains(&lang));
        }
    }
}
