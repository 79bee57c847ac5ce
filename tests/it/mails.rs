//! Mails: sent once as far as can be had, tried again while they cannot be sent, in the right language.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use app::ports::{Letter, Mail, NotMailed};
use app::task::QueueName;
use futures::future::BoxFuture;
use jiff::SignedDuration;
use local::mailbox::Mailbox;
use local::queue::Twice;
use serde_json::json;
use simulator::Settings;

use crate::support::app::Between;
use crate::support::{Caller, TestApp};

/// How the first calls of a carrier go.
#[derive(Clone, Copy)]
enum Way {
    Unavailable,
    Refused,
    /// It never answers: whoever called is killed meanwhile.
    Silent,
}

struct Carrier {
    mailbox: Mailbox,
    way: Way,
    /// How many calls go that way.
    left: Arc<AtomicU32>,
}

impl Mail for Carrier {
    fn send(&self, letter: Letter) -> BoxFuture<'_, Result<(), NotMailed>> {
        let left = |left: u32| left.checked_sub(1);
        if self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, left)
            .is_err()
        {
            return self.mailbox.send(letter);
        }
        let why = "the test says so".to_owned();
        match self.way {
            Way::Unavailable => Box::pin(async { Err(NotMailed::Unavailable(why)) }),
            Way::Refused => Box::pin(async { Err(NotMailed::Refused(why)) }),
            Way::Silent => Box::pin(std::future::pending()),
        }
    }
}

/// The application with a carrier whose first calls go this way, and how many of those are left.
async fn with_carrier(way: Way, times: u32) -> (TestApp, Arc<AtomicU32>) {
    let left = Arc::new(AtomicU32::new(times));
    let counted = Arc::clone(&left);
    let between = Between {
        mail: Some(Box::new(move |mailbox| {
            Arc::new(Carrier {
                mailbox,
                way,
                left: counted,
            })
        })),
        ..Between::default()
    };
    (TestApp::between(Settings::default(), between).await, left)
}

#[tokio::test]
async fn a_mail_that_cannot_be_sent_is_tried_again() {
    let (t, _) = with_carrier(Way::Unavailable, 4).await;
    let owner = t.owner("acme").await;
    t.invite(&owner, Some("budi@example.com"), "agent").await;
    let before = t.app.now();
    t.drain().await;
    assert_eq!(t.mails().len(), 1);
    let waited = t.app.now().duration_since(before);
    assert!(
        waited >= SignedDuration::from_secs(10 + 20 + 40 + 80),
        "{waited}"
    );
    let token = t.mailed_token("budi@example.com");
    let body = json!({ "token": token });
    let nobody = Caller::anonymous();
    let preview = nobody.post(&t, "/v1/invitations/preview", body).await;
    preview.expect(200);
    t.finish().await;
}

#[tokio::test]
async fn a_refused_mail_is_not_tried_again_and_whoever_invited_sees_it() {
    let (t, _) = with_carrier(Way::Refused, 1).await;
    let owner = t.owner("acme").await;
    t.invite(&owner, Some("budi@example.com"), "agent").await;
    t.drain().await;
    assert_eq!(t.mails().len(), 0);
    let listed = owner.get(&t, "/v1/invitations").await.expect(200);
    assert_eq!(listed["items"][0]["mail"], "refused");
    t.finish().await;
}

#[tokio::test]
async fn a_mail_that_is_queued_twice_is_sent_once() {
    let between = Between {
        queue: Some(Box::new(|queue| Arc::new(Twice::new(queue, 1)))),
        ..Between::default()
    };
    let t = TestApp::between(Settings::default(), between).await;
    let owner = t.owner("acme").await;
    t.invite(&owner, Some("budi@example.com"), "agent").await;
    let body = json!({"email": "acme@example.com"});
    Caller::anonymous()
        .post(&t, "/v1/password/forgot", body)
        .await
        .expect(202);
    t.drain().await;
    assert_eq!(t.mails().len(), 2, "one for each occasion");
    t.finish().await;
}

#[tokio::test]
async fn a_mail_whose_maker_was_killed_is_made_by_another() {
    let (t, left) = with_carrier(Way::Silent, 1).await;
    let owner = t.owner("acme").await;
    t.invite(&owner, Some("budi@example.com"), "agent").await;
    let killed = t.begin_one(QueueName::Notify).await;
    t.go_on_until(async || left.load(Ordering::SeqCst) == 0)
        .await;
    killed.abort();
    assert!(t.mails().is_empty());
    t.drain().await;
    assert_eq!(t.mails().len(), 1);
    t.finish().await;
}

#[tokio::test]
async fn an_invitation_that_is_revoked_before_its_mail_is_made_is_not_mailed() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    let invitation = t.invite(&owner, Some("budi@example.com"), "agent").await;
    let path = format!("/v1/invitations/{}", invitation["id"].as_str().unwrap());
    owner.delete(&t, &path).await.expect(204);
    t.drain().await;
    assert!(t.mails().is_empty());
    t.finish().await;
}

#[tokio::test]
async fn mails_are_in_the_readers_language_when_it_is_known() {
    let t = TestApp::new().await;
    let owner = t.owner("acme").await;
    t.invite(&owner, Some("nobody@example.com"), "agent").await;
    t.drain().await;
    assert_eq!(t.mails()[0].subject, "acme invites you to acme");
    let body = json!({"email": "budi@example.com", "role": "agent", "language": "id"});
    owner.post(&t, "/v1/invitations", body).await.expect(201);
    t.drain().await;
    assert_eq!(t.mails()[0].subject, "acme mengundang Anda ke acme");
    owner
        .patch(&t, "/v1/me", json!({"language": "id"}))
        .await
        .expect(200);
    let body = json!({"email": "acme@example.com"});
    Caller::anonymous()
        .post(&t, "/v1/password/forgot", body)
        .await
        .expect(202);
    t.drain().await;
    assert_eq!(t.mails()[0].subject, "Atur kata sandi baru untuk Blazz");
    assert!(t.mails()[0].html.contains("lang=\"id\""));
    t.finish().await;
}
