//! An event reads the same wherever a client meets it.

use std::time::Duration;

use app::task::Broadcast;
use domain::campaign::State;
use domain::chat::Tick;
use domain::id::{CampaignId, ChannelId, ChatId, ContactId, ImportId, MessageId, UserId};
use domain::import::ImportState;
use domain::media::FileState;
use domain::realtime::{Direction, Event};
use jiff::Timestamp;
use serde_json::json;

use crate::realtime::{kinds, since};
use crate::support::TestApp;

/// One of each event that is kept.
fn one_of_each(user: &UserId) -> Vec<Event> {
    let (chat, message) = (
        ChatId::derived(&["a"]),
        MessageId::at(Timestamp::UNIX_EPOCH, &["a"]),
    );
    vec![
        Event::MessageCreated {
            chat: chat.clone(),
            message: message.clone(),
            direction: Direction::Inbound,
            at: Timestamp::UNIX_EPOCH,
        },
        Event::MessageUpdated {
            chat: chat.clone(),
            message: message.clone(),
            status: Tick::Delivered,
        },
        Event::MediaUpdated {
            chat: chat.clone(),
            message: message.clone(),
            state: FileState::Ready,
        },
        Event::ChatUpdated { chat: chat.clone() },
        Event::MentionCreated {
            chat,
            message,
            user: user.clone(),
        },
        Event::CampaignUpdated {
            campaign: CampaignId::fresh(),
            state: State::Pausing,
        },
        Event::ContactUpdated {
            contact: ContactId::fresh(),
        },
        Event::ContactDeleted {
            contact: ContactId::fresh(),
        },
        Event::ImportUpdated {
            import: ImportId::fresh(),
            state: ImportState::Running,
            offset: 7,
            size: 9,
        },
        Event::TemplateUpdated {
            template: "1234567890".into(),
        },
        Event::ChannelUpdated {
            channel: ChannelId::fresh(),
        },
        Event::MemberUpdated {
            user: UserId::fresh(),
        },
        Event::WorkspaceUpdated {},
    ]
}

#[tokio::test]
async fn what_is_pushed_is_what_is_fetched_and_what_the_document_describes() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let mut live = owner.live(&t).await;
    let after = live.last;
    let user = t.id_of(&owner).await.parse().unwrap();
    let task = Broadcast {
        workspace: owner.workspace.parse().unwrap(),
        events: one_of_each(&user),
    };
    t.app.enqueue(&task, Duration::ZERO).await.unwrap();
    t.drain().await;
    let pushed = live.events().await;
    assert_eq!(json!(pushed), serde_json::to_value(&task.events).unwrap());
    let fetched = since(&t, &owner, after).await;
    assert_eq!(fetched["items"][0]["events"], json!(pushed));
    let document = http_api::document::document(crate::openapi::routers());
    let document = serde_json::to_value(document).unwrap();
    let described = document["components"]["schemas"]["EventOut"]["oneOf"]
        .as_array()
        .unwrap();
    let mut names: Vec<_> = described
        .iter()
        .map(|kind| kind["properties"]["type"]["enum"][0].as_str().unwrap())
        .collect();
    // Those that are not kept.
    let passing = ["recipient.updated", "chat.answering", "presence.updated"];
    names.retain(|name| !passing.contains(name));
    assert_eq!(names, kinds(&pushed));
    t.finish().await;
}
