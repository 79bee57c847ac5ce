//! The house rules, as tests: structure that a compiler does not hold.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The longest a source file may be.
const LINES_MAX: usize = 600;

fn files(folder: &str, ending: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, ending: &str, found: &mut Vec<(PathBuf, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, ending, found);
            } else if path
                .extension()
                .is_some_and(|extension| extension == ending)
            {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(ROOT).join(folder), ending, &mut found);
    assert!(!found.is_empty(), "no .{ending} files below {folder}");
    found
}

fn sources() -> Vec<(PathBuf, String)> {
    ["shared", "functions", "infra", "tests"]
        .iter()
        .flat_map(|folder| files(folder, "rs"))
        .collect()
}

fn functions() -> BTreeSet<String> {
    let folders = std::fs::read_dir(Path::new(ROOT).join("functions")).unwrap();
    folders
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn no_file_is_too_long_and_every_module_says_what_it_is() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(
            lines <= LINES_MAX,
            "{} has {lines} lines; split it by concern",
            path.display()
        );
        // Tests beside their module are described by it, and the mains of functions are all alike.
        let described = path.ends_with("tests.rs")
            || path.to_string_lossy().contains("whatsapp/tests/")
            || path.to_string_lossy().contains("functions/") && path.ends_with("main.rs");
        assert!(
            described || text.starts_with("//!"),
            "{} does not begin with a module comment",
            path.display()
        );
    }
}

#[test]
fn keys_are_made_in_their_own_file() {
    let marks = [
        "\"WS#",
        "\"USER#",
        "\"EMAIL#",
        "\"SESSION#",
        "\"PHONEID#",
        "\"APIKEYHASH#",
        "\"PORTFOLIO#",
        "\"WEBHOOK#",
        "\"WABA#",
        "\"BODIES#",
        "\"TICKET#",
        "\"SOCKET#",
        "\"PASSWORDRESET#",
        "\"MAIL#",
        "\"INVITATIONHASH#",
        "\"LIMIT#",
    ];
    for (path, text) in sources() {
        let own = path.ends_with("store/key.rs")
            || path.to_string_lossy().contains("store/key/")
            || path.ends_with("it/tidy.rs");
        let made = marks.iter().find(|mark| text.contains(**mark));
        assert!(
            own || made.is_none(),
            "{} makes a key ({}): add a constructor to store/key.rs",
            path.display(),
            made.unwrap()
        );
    }
}

#[test]
fn the_environment_is_read_in_named_files_only() {
    let allowed = [
        "app/src/config.rs",
        "local/src/settings.rs",
        "local/src/harness/environment.rs",
        "simulator/src/main.rs",
        "aws/src/environment.rs",
        "it/openapi.rs",
        "it/tidy.rs",
    ];
    for (path, text) in sources() {
        let reads = text.contains("env::var") || text.contains("env::vars");
        let allowed = allowed.iter().any(|file| path.ends_with(file));
        assert!(
            !reads || allowed,
            "{} reads the environment",
            path.display()
        );
    }
}

#[test]
fn tests_are_never_ignored() {
    for (path, text) in sources() {
        let mark = ["#[ign", "ore"].concat();
        assert!(!text.contains(&mark), "{} skips a test", path.display());
    }
}

/// Crate edges: who may depend on whom among our own crates.
#[test]
fn crates_depend_only_inward() {
    let allowed: &[(&str, &[&str])] = &[
        ("shared/domain", &[]),
        ("shared/whatsapp", &["domain"]),
        ("shared/app", &["domain", "whatsapp"]),
        ("shared/http", &["app", "domain"]),
        ("shared/aws", &["app", "domain", "http_api"]),
        ("infra/simulator", &[]),
    ];
    let ours = [
        "domain",
        "whatsapp",
        "app",
        "http_api",
        "aws",
        "local",
        "simulator",
    ];
    for (folder, allowed) in allowed {
        let manifest =
            std::fs::read_to_string(Path::new(ROOT).join(folder).join("Cargo.toml")).unwrap();
        let dependencies = manifest.split("[dev-dependencies]").next().unwrap();
        for name in ours {
            let depends = dependencies.lines().any(|line| {
                line.starts_with(&format!("{name}.")) || line.starts_with(&format!("{name} ="))
            });
            assert!(
                !depends || allowed.contains(&name),
                "{folder} must not depend on {name}"
            );
        }
    }
}

#[test]
fn acts_and_rules_know_no_transport() {
    for folder in ["shared/domain/src", "shared/app/src", "shared/whatsapp/src"] {
        for (path, text) in files(folder, "rs") {
            for word in ["axum", "lambda_", "aws_sdk_sqs", "aws_sdk_s3"] {
                assert!(!text.contains(word), "{} names {word}", path.display());
            }
        }
    }
}

/// A route outside the OpenAPI document would be tried by none of the tests that walk it.
#[test]
fn every_route_is_in_the_document() {
    for (path, text) in files("functions", "rs") {
        // The files that the page of the documentation is made of.
        let exempt = path.ends_with("api-workspace/src/docs.rs");
        for other in [".route(", ".nest(", ".route_service(", ".fallback"] {
            assert!(
                exempt || !text.contains(other),
                "{} registers a route past the OpenAPI document: use routes!",
                path.display()
            );
        }
    }
}

#[test]
fn only_main_files_give_functions_to_lambda() {
    for (path, text) in files("functions", "rs") {
        let main = path.ends_with("src/main.rs");
        assert_eq!(text.contains("aws::"), main, "{}", path.display());
        assert!(
            !main || text.lines().count() <= 15,
            "{} does more than hand over",
            path.display()
        );
    }
}

#[test]
fn every_function_is_in_the_template_and_has_its_events() {
    let stack = local::template::Stack::embedded().unwrap();
    let in_template: BTreeSet<String> = stack
        .functions
        .iter()
        .map(|function| function.name.clone())
        .collect();
    assert_eq!(in_template, functions());
    let events = files("events", "json");
    for function in functions() {
        let has = events
            .iter()
            .any(|(path, _)| path.to_string_lossy().contains(&function));
        assert!(has, "events/ has no sample for {function}");
    }
}

#[test]
fn every_queue_has_a_dead_letter_queue_and_an_event_source() {
    let stack = local::template::Stack::embedded().unwrap();
    for queue in app::task::QueueName::ALL {
        let in_template = stack.queue(queue);
        let in_template =
            in_template.unwrap_or_else(|| panic!("{} is not in the template", queue.as_str()));
        assert!(
            in_template.max_receive > 1,
            "{} parks a message after one failure",
            queue.as_str()
        );
        let consumers = stack
            .functions
            .iter()
            .flat_map(|function| &function.sources)
            .filter(|source| source.queue == queue)
            .count();
        assert_eq!(consumers, 1, "{} has {consumers} consumers", queue.as_str());
    }
}

#[test]
fn a_function_that_queues_to_itself_may_loop() {
    let template = std::fs::read_to_string(Path::new(ROOT).join("infra/template.yaml")).unwrap();
    let allowed = template.matches("RecursiveLoop: Allow").count();
    assert_eq!(
        allowed, 5,
        "contact-import, campaign-plan and campaign-export queue to themselves, campaign-dispatch and message-send to each other"
    );
}

#[test]
fn documents_name_files_that_exist() {
    for document in [
        "README.md",
        "docs/ARCHITECTURE.md",
        "docs/DATA_MODEL.md",
        "docs/decisions.md",
    ] {
        let text = std::fs::read_to_string(Path::new(ROOT).join(document)).unwrap();
        for name in text
            .split('`')
            .filter(|name| name.contains('/') && (name.ends_with(".rs") || name.ends_with(".yaml")))
        {
            let known = Path::new(ROOT).join(name);
            assert!(
                name.contains(['*', '{', '…']) || known.exists(),
                "{document} names {name}, which does not exist"
            );
        }
    }
}
