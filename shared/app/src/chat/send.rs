//! Sending what a chat has on its way out, in the order it was taken.
//!
//! What correctness rests on:
//! - The queue delivers a chat's tasks one after the other, and a task sends everything that lines up
//!   before its message first. So no message overtakes another, even if its own task was lost.
//! - A message is *claimed* by a conditional write before the call to Meta, and its intent is removed
//!   when the call is settled. Whoever finds a claim whose lease is over knows only that the message may
//!   have been sent: it is unknown, and never sent again.
//! - Only what Meta certainly did not accept gives its claim back and is tried again, and the chat waits
//!   for it.

use std::time::Duration;

use domain::campaign::Excluded;
use domain::chat::{MessageRef, Tick};
use domain::contact::{Consent, ConsentChange, ConsentSource};
use domain::id::{ChatId, MessageId};
use domain::message::Outcome as Rank;
use domain::realtime::Event;
use jiff::SignedDuration;
use whatsapp::{AccessToken, ErrorClass, SendError};

use super::outgoing::{self, Ready};
use super::{Message, Outbound, Pending, receipt};
use crate::campaign::{Evidence, send::lease};
use crate::channel::{self, Channel};
use crate::contact::{self, Contact};
use crate::pacer::Lane;
use crate::store::{Committed, Scope, Write};
use crate::task::{ChatSend, ChatTask};
use crate::{App, Error, realtime, search, secret};

/// How often a message is tried that Meta certainly did not accept. The pauses grow as Meta asks for a
/// person who was written to too often (Meta: pair rate limit): 1, 4, 16, 64 and 256 seconds.
const ATTEMPTS: u32 = 6;

/// The shortest rest of a number that Meta called too fast.
const REST: SignedDuration = SignedDuration::from_secs(1);

/// What sending from one chat works with.
struct Sender<'a> {
    app: &'a App,
    scope: Scope<'a>,
    chat: ChatId,
    channel: &'a Channel,
    /// `None` when the number was disconnected since.
    token: Option<AccessToken>,
    contact: Option<Contact>,
}

/// Sends everything up to the task's message, or a receipt.
///
/// # Errors
/// [`Error::Later`] while a message waits for its next try or may be in another sender's hands: then
/// everything after it waits as well. Any other error leaves a claim behind, which is taken over when
/// its lease ends.
pub async fn run(app: App, task: ChatTask) -> Result<(), Error> {
    match task {
        ChatTask::Message(task) => messages(app, task).await,
        ChatTask::Receipt(task) => Box::pin(receipt::run(&app, &task)).await,
    }
}

async fn messages(app: App, task: ChatSend) -> Result<(), Error> {
    let scope = app.store.workspace(&task.workspace);
    let chat = ChatId::of(&task.channel, &task.contact);
    let (line, key) = (scope.all_pending(&chat), scope.contact(&task.contact));
    // Boxed like what follows, because several calls are under way in it at once.
    let (line, channel, contact) = Box::pin(async {
        tokio::try_join!(
            app.store.all::<Pending>(&line),
            channel::find(&app, scope, &task.channel),
            app.store.get::<Contact>(&key),
        )
    })
    .await?;
    let token = match channel.is_connected() {
        true => Some(channel::token(&app, scope, &channel)?),
        false => None,
    };
    let sender = Sender {
        app: &app,
        scope,
        chat,
        channel: &channel,
        token,
        contact,
    };
    // A message that is begun needs Meta's answer and the last write.
    let last_start = app.last_start(lease(&app));
    for pending in line.iter().filter(|pending| pending.place <= task.place) {
        if app.now() >= last_start {
            let after = Duration::ZERO;
            return Err(Error::Later { after });
        }
        Box::pin(sender.one(pending)).await?;
    }
    if line.iter().all(|pending| pending.place != task.place) {
        // It was settled before, and whoever settled it may have died before telling.
        let key = scope.message(&sender.chat, &task.message);
        if let Some(Message::Outbound(message)) = app.store.get(&key).await?
            && message.status.is_some()
        {
            sender.tell(&task.message, message.tick()).await?;
        }
    }
    Ok(())
}

impl Sender<'_> {
    async fn one(&self, pending: &Pending) -> Result<(), Error> {
        if !pending.token.is_empty() {
            let now = self.app.now().as_millisecond();
            if pending.lease > now {
                let left = pending.lease.abs_diff(now);
                return Err(Error::Later {
                    after: Duration::from_millis(left),
                });
            }
            // Whoever claimed it died, perhaps after Meta took the message.
            return self.settle(pending, Rank::Unknown, Known::default()).await;
        }
        if self.token.is_none() {
            return self.settle(pending, Rank::Failed, Known::default()).await;
        }
        // Read before the claim: what cannot be sent needs none.
        let key = self.scope.message(&self.chat, &pending.message);
        let message = self.app.store.get(&key).await?;
        if let Some(message) = &message {
            search::keep(self.app, self.scope, &self.chat, message, None).await?;
        }
        let Some(Message::Outbound(message)) = message else {
            return Err(Error::broken("a message on its way out does not exist"));
        };
        let to = match self.reachable(&message) {
            Ok(to) => to,
            Err(excluded) => {
                let known = Known::unsent(excluded_words(excluded));
                return self.settle(pending, Rank::Failed, known).await;
            }
        };
        let at = (self.app, self.scope, self.channel, &self.chat);
        let ready = match outgoing::ready(at, &message).await? {
            Ready::Yes(ready) => ready,
            Ready::Later(after) => return Err(Error::Later { after }),
            Ready::Never(why) => {
                return self
                    .settle(pending, Rank::Failed, Known::unsent(&why))
                    .await;
            }
        };
        let pending = &Pending {
            token: secret::random_token(),
            ..pending.clone()
        };
        let claimed = self.claim(pending).await;
        if !matches!(claimed, Ok(true)) {
            // It may be ours all the same, when only the answer was lost; nothing was sent yet.
            self.release(pending, pending.tries).await?;
            claimed?;
            // Somebody else took it; the next delivery sees what became of it.
            return Err(Error::Later {
                after: Duration::from_secs(1),
            });
        }
        // The turn comes last, so that nothing lies between it and the call: a message that is late for
        // its slot crowds the second it falls in.
        let lane = Lane::new(self.app, self.scope, self.channel);
        if let Err(error) = lane.turn().await {
            self.release(pending, pending.tries).await?;
            return Err(error);
        }
        let callback = MessageRef {
            chat: self.chat.clone(),
            message: message.id.clone(),
        };
        let outbound = whatsapp::Outbound {
            to,
            content: ready.content,
            context: ready.context,
            callback_data: callback.to_string(),
        };
        self.call(pending, &outbound, &lane).await
    }

    /// Where the person is reached. The contact was read anew: they may have opted out since the message
    /// was taken.
    fn reachable(&self, message: &Outbound) -> Result<String, Excluded> {
        let contact = self.contact.as_ref().ok_or(Excluded::Changed)?;
        match contact.barred() {
            Some(Excluded::OptedOut) if message.farewell => {}
            Some(barred) => return Err(barred),
            None => {}
        }
        let phone = contact.phone.as_ref().map(ToString::to_string);
        phone.or(contact.user_id.clone()).ok_or(Excluded::NoPhone)
    }

    async fn call(
        &self,
        pending: &Pending,
        outbound: &whatsapp::Outbound,
        lane: &Lane<'_>,
    ) -> Result<(), Error> {
        let number = &self.channel.phone_number_id;
        let Some(token) = &self.token else {
            return Ok(());
        };
        let answer = self.app.whatsapp.send(token, number, outbound).await;
        let refusal = match answer {
            Ok(accepted) => {
                let known = Known::of(Some(accepted.wamid), None);
                return self.settle(pending, Rank::Accepted, known).await;
            }
            Err(SendError::Unknown(_)) => {
                return self.settle(pending, Rank::Unknown, Known::default()).await;
            }
            Err(SendError::NotSent(_)) => return self.again(pending, None).await,
            Err(SendError::Refused(refusal)) => refusal,
        };
        let code = Some(refusal.code);
        match refusal.class() {
            ErrorClass::Slow => {
                // When that fails, others find out by themselves that the number is too fast.
                if let Err(error) = lane.rest(REST).await {
                    tracing::warn!(error = error.chain(), "the number was not slowed down");
                }
                self.again(pending, code).await
            }
            ErrorClass::HoldPerson => self.again(pending, code).await,
            ErrorClass::DropPerson | ErrorClass::StopCampaign => {
                if refusal.code == whatsapp::STOPPED {
                    self.stopped().await;
                }
                self.settle(pending, Rank::Failed, Known::of(None, code))
                    .await
            }
            ErrorClass::Unclear => self.settle(pending, Rank::Unknown, Known::default()).await,
        }
    }

    /// The person stopped messages of the business at WhatsApp, as its refusal says.
    /// What became of the message matters more: when this fails, the next one is refused again.
    async fn stopped(&self) {
        let Some(contact) = self.contact.clone() else {
            return;
        };
        let made = ConsentChange {
            at: self.app.now(),
            source: ConsentSource::Whatsapp,
        };
        let stop = Consent::OptedOut;
        let wish = Box::pin(contact::wish(
            self.app, self.scope, contact, stop, made, None,
        ));
        if let Err(error) = wish.await {
            tracing::warn!(chat = %self.chat, error = error.chain(), "a person who stopped messages was not opted out");
        }
    }

    /// Takes the message for this sender; `false` when somebody else did or it is settled.
    async fn claim(&self, pending: &Pending) -> Result<bool, Error> {
        let until = (self.app.now() + lease(self.app)).as_millisecond();
        let claim = self
            .held(pending, "")?
            .set("token", &pending.token)?
            .set("lease", &until)?;
        Ok(self.app.store.write(claim).await?.yes())
    }

    /// Meta certainly did not accept it: it is tried again after a pause, or given up.
    async fn again(&self, pending: &Pending, code: Option<i64>) -> Result<(), Error> {
        let tries = pending.tries + 1;
        if tries >= ATTEMPTS {
            return self
                .settle(pending, Rank::Failed, Known::of(None, code))
                .await;
        }
        self.release(pending, tries).await?;
        Err(Error::Later {
            after: Duration::from_secs(4_u64.pow(tries - 1)),
        })
    }

    async fn release(&self, pending: &Pending, tries: u32) -> Result<(), Error> {
        let release = self
            .held(pending, &pending.token)?
            .set("token", "")?
            .set("lease", &0)?
            .set("tries", &tries)?;
        // A claim that was lost needs no release.
        self.app.store.write(release).await?;
        Ok(())
    }

    fn held(&self, pending: &Pending, token: &str) -> Result<Write, Error> {
        Write::update(self.scope.pending(&self.chat, pending.place)).if_equals("token", token)
    }

    /// Says what became of the message, and removes the intent. A status that came first knows more and
    /// stays.
    async fn settle(&self, pending: &Pending, status: Rank, known: Known) -> Result<(), Error> {
        let mut said = Write::update(self.scope.message(&self.chat, &pending.message))
            .set("status", &status)?
            .set("status_at", &self.app.now())?
            .if_present()
            .if_missing("status");
        if let Some(wamid) = &known.evidence.wamid {
            said = said.set("wamid", wamid)?;
        }
        if let Some(code) = &known.evidence.code {
            said = said.set("code", code)?;
        }
        if let Some(unsent) = &known.unsent {
            said = said.set("unsent", unsent)?;
        }
        let gone = Write::delete(self.scope.pending(&self.chat, pending.place))
            .if_equals("token", &pending.token)?;
        match self.app.store.transact(vec![said, gone.clone()]).await? {
            Committed::Yes => self.tell(&pending.message, status.into()).await,
            // The status that came first was told when it came.
            Committed::No(failed) if failed == [0] => {
                self.app.store.write(gone).await?;
                Ok(())
            }
            // Somebody else has settled it.
            Committed::No(_) => Ok(()),
        }
    }

    /// Tells open screens what became of a message.
    async fn tell(&self, message: &MessageId, status: Tick) -> Result<(), Error> {
        let event = Event::MessageUpdated {
            chat: self.chat.clone(),
            message: message.clone(),
            status,
        };
        realtime::publish(self.app, self.scope, vec![event]).await
    }
}

/// What is known of a message that is settled.
#[derive(Default)]
struct Known {
    evidence: Evidence,
    unsent: Option<String>,
}

impl Known {
    fn of(wamid: Option<String>, code: Option<i64>) -> Self {
        Self {
            evidence: Evidence { wamid, code },
            unsent: None,
        }
    }

    fn unsent(why: &str) -> Self {
        Self {
            evidence: Evidence::default(),
            unsent: Some(why.to_owned()),
        }
    }
}

fn excluded_words(excluded: Excluded) -> &'static str {
    match excluded {
        Excluded::Changed => "The contact was deleted.",
        excluded => excluded.reason(),
    }
}
