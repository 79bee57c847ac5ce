use super::*;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0";
const MP4: &[u8] = b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2";
const MOBILE: &[u8] = b"\0\0\0\x18ftyp3gp4\0\0\0\0";
const PDF: &[u8] = b"%PDF-1.7\n";
const M4A: &[u8] = b"\0\0\0\x20ftypM4A \0\0\x02\0isomiso2";
const AAC: &[u8] = b"\xff\xf1\x50\x80";
const AMR: &[u8] = b"#!AMR\n\x3c\0\0\0\0\0";
const MP3: &[u8] = b"ID3\x04\0\0\0\0\0\0";

/// The first page of Opus sound with this many channels.
fn opus(channels: u8) -> Vec<u8> {
    let mut page = b"OggS".to_vec();
    page.resize(28, 0);
    page.extend(b"OpusHead\x01");
    page.push(channels);
    page
}

/// The beginning of a WebP file that moves or does not.
fn webp(moves: bool) -> Vec<u8> {
    let mut head = b"RIFF\x24\0\0\0WEBPVP8X\x0a\0\0\0".to_vec();
    head.extend([u8::from(moves) << 1, 0, 0, 0]);
    head
}

fn archive(first: &str) -> Vec<u8> {
    let mut bytes = b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    bytes.extend((first.len() as u16).to_le_bytes());
    bytes.extend([0, 0]);
    bytes.extend(first.as_bytes());
    bytes
}

#[test]
fn a_file_is_known_by_its_content_and_not_by_what_was_announced() {
    let office = archive("[Content_Types].xml");
    let (ogg, sticker) = (opus(1), webp(false));
    let good: &[(&str, &[u8])] = &[
        ("image/png", PNG),
        ("image/jpeg", JPEG),
        ("video/mp4", MP4),
        ("video/3gpp", MOBILE),
        ("audio/aac", AAC),
        ("audio/amr", AMR),
        ("audio/mpeg", MP3),
        ("audio/ogg; codecs=opus", &ogg),
        ("image/webp", &sticker),
        ("application/pdf", PDF),
        (
            "text/plain; charset=utf-8",
            "Menu: nasi goréng\n".as_bytes(),
        ),
        ("application/msword", &COMPOUND),
        ("application/vnd.ms-excel", &COMPOUND),
        (MediaType::WordXml.as_str(), &office),
        (MediaType::ExcelXml.as_str(), &office),
    ];
    for (mime, head) in good {
        let known = MediaType::parse(mime).unwrap();
        assert!(known.matches(head), "{mime}");
        for (other, other_head) in good {
            if MediaType::parse(other).unwrap().mark() != known.mark() {
                assert!(!known.matches(other_head), "{other} was taken for {mime}");
            }
        }
    }
    for head in [M4A, MP4] {
        assert!(MediaType::M4a.matches(head));
    }
    assert!(!MediaType::M4a.matches(MP3));
    assert!(!MediaType::Ogg.matches(b"OggS and then Vorbis, which WhatsApp does not play"));
    assert!(!MediaType::Png.matches(JPEG));
    assert!(!MediaType::Pdf.matches(b"<script>alert(1)</script>"));
    assert!(!MediaType::Text.matches(b"\x7fELF\x02\x01\x01\0"));
    assert!(!MediaType::Text.matches(b"caf\xe9 au lait"));
    assert!(!MediaType::WordXml.matches(&archive("holiday.jpg")));
}

#[test]
fn a_text_cut_within_a_character_is_still_a_text() {
    let text = "é".repeat(10);
    assert!(MediaType::Text.matches(&text.as_bytes()[..7]));
}

#[test]
fn a_type_that_whatsapp_does_not_show_is_refused_with_those_that_it_does() {
    for mime in ["image/gif", "audio/wav", "", "application/zip"] {
        let refused = MediaType::parse(mime).unwrap_err();
        assert_eq!(refused.field, "mime_type");
        assert!(refused.message.contains("application/pdf"), "{mime}");
    }
    assert_eq!(MediaType::parse(" IMAGE/PNG ").unwrap(), MediaType::Png);
}

#[test]
fn a_file_name_is_no_path() {
    assert_eq!(file_name(" Menu März.pdf ").unwrap(), "Menu März.pdf");
    let long = "x".repeat(FILE_NAME_MAX + 1);
    for text in ["", "  ", "../menu.pdf", "a\\b", "a\nb", long.as_str()] {
        assert_eq!(file_name(text).unwrap_err().field, "file_name", "{text:?}");
    }
}

#[test]
fn a_type_is_stored_as_its_own_name() {
    let stored = serde_json::to_value(MediaType::Jpeg).unwrap();
    assert_eq!(stored, "image/jpeg");
}

#[test]
fn what_a_person_sent_is_what_it_is_and_not_what_it_is_called() {
    fn of(announced: Option<&str>, head: &[u8]) -> Option<MediaType> {
        MediaType::of(announced, head)
    }
    assert_eq!(of(Some("image/jpeg"), JPEG), Some(MediaType::Jpeg));
    assert_eq!(of(Some("image/jpeg"), PNG), Some(MediaType::Png));
    assert_eq!(of(None, MP4), Some(MediaType::Mp4));
    assert_eq!(of(Some("audio/mp4"), MP4), Some(MediaType::M4a));
    assert_eq!(
        of(Some("audio/ogg; codecs=opus"), &opus(2)),
        Some(MediaType::Ogg)
    );
    assert_eq!(
        of(Some("application/vnd.ms-excel"), &COMPOUND),
        Some(MediaType::Excel)
    );
    // A page is a text, so nothing in it runs, whatever it is called.
    let page = b"<html><script>alert(1)</script>";
    for announced in ["image/jpeg", "text/html", "image/svg+xml"] {
        let found = of(Some(announced), page);
        assert_eq!(found, Some(MediaType::Text));
        assert!(!found.unwrap().is_shown());
    }
    assert_eq!(of(Some("application/zip"), &archive("holiday.jpg")), None);
    assert_eq!(of(Some("image/jpeg"), b"\x7fELF\x02\x01\x01\0"), None);
    assert_eq!(of(None, b""), Some(MediaType::Text));
}

#[test]
fn what_whatsapp_would_not_show_is_refused_in_words() {
    let fault = |mime: MediaType, head: &[u8], size| mime.fault(head, size).unwrap_or_default();
    assert_eq!(fault(MediaType::Jpeg, JPEG, 5 << 20), "");
    assert!(fault(MediaType::Jpeg, b"<html></html>", 13).contains("image/jpeg"));
    assert_eq!(fault(MediaType::Ogg, &opus(1), 9), "");
    assert!(fault(MediaType::Ogg, &opus(2), 9).contains("mono"));
    assert_eq!(fault(MediaType::Webp, &webp(true), 400 << 10), "");
    assert_eq!(fault(MediaType::Webp, &webp(false), 100 << 10), "");
    assert!(fault(MediaType::Webp, &webp(false), 101 << 10).contains("100 KB"));
}

#[test]
fn each_kind_has_its_largest_size() {
    let wrong = |size, kind| wrong_size(size, kind).unwrap_or_default();
    for (kind, most, word) in [
        (MediaKind::Image, 5 << 20, "5 MB"),
        (MediaKind::Video, 16 << 20, "16 MB"),
        (MediaKind::Audio, 16 << 20, "16 MB"),
        (MediaKind::Document, 100 << 20, "100 MB"),
        (MediaKind::Sticker, 500 << 10, "500 KB"),
    ] {
        assert_eq!(wrong(most, kind), "");
        assert!(wrong(most + 1, kind).contains(word), "{kind:?}");
        assert!(wrong(0, kind).contains("empty"));
    }
}

#[test]
fn a_sticker_has_one_shape() {
    assert_eq!(MediaKind::Sticker.misshapen(512, 512), None);
    let fault = MediaKind::Sticker.misshapen(512, 300).unwrap();
    assert!(fault.contains("512 × 300"), "{fault}");
    assert_eq!(MediaKind::Image.misshapen(512, 300), None);
}

#[test]
fn a_caption_stands_below_what_shows_one() {
    let long = "x".repeat(CAPTION_MAX + 1);
    for kind in [MediaKind::Image, MediaKind::Video, MediaKind::Document] {
        assert_eq!(kind.caption(" Look ").unwrap().as_deref(), Some("Look"));
        assert_eq!(kind.caption(" ").unwrap(), None);
        assert!(kind.caption(&long[1..]).is_ok());
        assert!(kind.caption(&long).unwrap_err().message.contains("1025"));
    }
    for kind in [MediaKind::Audio, MediaKind::Sticker] {
        assert_eq!(kind.caption("").unwrap(), None);
        assert_eq!(kind.caption("Look").unwrap_err().field, "caption");
    }
}
