//! A test: a campaign's message, sent once to one number to see how it looks. It counts in no figures.
//!
//! Everything is frozen when it is asked for, so the test says what the campaign said then. It is
//! claimed by one conditional write before the call to Meta and never sent again: of a sender that died
//! in between only Meta knows whether the message left.

use std::time::Duration;

use domain::campaign::Excluded;
use domain::contact::Profile;
use domain::id::{CampaignId, ChannelId, ContactId, TestId};
use domain::phone::Phone;
use domain::template::{HeaderContent, Rendered, Template, Unfillable, Values, render};
use domain::workspace::Permission;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use whatsapp::{ErrorClass, Outbound, SendError, TemplateMessage};

use super::send::lease;
use super::{content, find};
use crate::channel::{self, Channel};
use crate::contact::Contact;
use crate::idempotency::Once;
use crate::media::Handed;
use crate::pacer::Lane;
use crate::page::{self, Order, Page, PageRequest};
use crate::store::{Scope, Write};
use crate::task::CampaignTest;
use crate::{Actor, App, Error, budget, contact};

/// Why nothing more is known of a test.
const UNKNOWN: &str = "It may have been sent: there was no clear answer from WhatsApp.";

const OUT_OF_REACH: &str = "WhatsApp could not be reached. Try again in a moment.";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestState {
    Queued,
    Sending,
    Accepted,
    Failed,
    Unknown,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TestSend {
    pub id: TestId,
    pub phone: Phone,
    /// Whose values were filled in; without one, fallbacks and the template's examples.
    #[serde(default)]
    pub contact: Option<ContactId>,
    pub(crate) channel: ChannelId,
    pub(crate) template: Template,
    #[serde(default)]
    pub(crate) header: Option<HeaderContent>,
    pub(crate) values: Values,
    pub state: TestState,
    /// Until when its sender may be alive.
    #[serde(default)]
    pub(crate) lease: Option<Timestamp>,
    /// Meta's id of the message.
    #[serde(default)]
    pub wamid: Option<String>,
    /// Meta's error code, when it was refused.
    #[serde(default)]
    pub code: Option<i64>,
    /// Why it failed or is unknown, in words.
    #[serde(default)]
    pub reason: Option<String>,
    pub created_at: Timestamp,
}

/// What a caller gives to send a test.
#[derive(Debug, Clone)]
pub struct NewTest {
    /// In international form.
    pub phone: String,
    pub contact: Option<ContactId>,
}

impl TestSend {
    /// The message as its reader sees it.
    #[must_use]
    pub fn message(&self) -> Rendered {
        render(&self.template, self.header.as_ref(), &self.values)
    }
}

/// Sends the campaign's message to one number, whatever the campaign's state. What becomes of it is
/// read from the list of tests.
///
/// # Errors
/// The campaign does not exist, its content is not acceptable, or a field of the test is not.
pub async fn test(
    app: &App,
    actor: &Actor,
    id: &CampaignId,
    new: NewTest,
    once: &Once,
) -> Result<TestSend, Error> {
    actor.require(Permission::WriteCampaigns)?;
    let scope = app.store.workspace(&actor.workspace);
    let campaign = find(app, scope, id).await?;
    let mut refused = Vec::new();
    let content = content::check(
        app,
        scope,
        &campaign.channel,
        &campaign.template.id,
        &campaign.variables,
        campaign.header_input().as_ref(),
        &mut refused,
    )
    .await?;
    let content = content.ok_or(Error::Invalid(refused))?;
    let phone = Phone::parse(&new.phone, None)
        .map_err(|error| Error::invalid("phone", error.to_string()))?;
    willing(app, scope, &phone).await?;
    let person = match &new.contact {
        None => None,
        Some(id) => match contact::find(app, scope, id).await {
            Err(Error::NotFound { .. }) => {
                return Err(Error::invalid("contact", "there is no such contact"));
            }
            person => Some(person?),
        },
    };
    let profile = person
        .as_ref()
        .map_or_else(Profile::default, |person| person.profile());
    // Somebody's own values are wanted as they are; for nobody's, examples will do.
    let template = match person {
        Some(_) => content.template.clone(),
        None => Template {
            examples: content.examples,
            ..content.template.clone()
        },
    };
    let values = campaign
        .variables
        .fill_or_example(&template, &profile)
        .map_err(|error| unfillable(&error))?;
    let test = TestSend {
        id: TestId::at(once.at, &[&once.seed]),
        phone,
        contact: new.contact,
        channel: campaign.channel,
        template: content.template,
        header: content.header,
        values,
        state: TestState::Queued,
        lease: None,
        wamid: None,
        code: None,
        reason: None,
        created_at: app.now(),
    };
    // One that exists was made by an earlier attempt at the same request, which may not have queued it.
    let place = scope.test(id, &test.id);
    let create = Write::create(place.clone(), &test)?;
    let test = if app.store.write(create).await?.yes() {
        test
    } else {
        let made = app.store.get(&place).await?;
        made.ok_or_else(|| Error::broken("a test is gone"))?
    };
    let task = CampaignTest {
        workspace: actor.workspace.clone(),
        campaign: id.clone(),
        test: test.id.clone(),
    };
    app.enqueue(&task, Duration::ZERO).await?;
    Ok(test)
}

/// The tests of a campaign, newest first.
///
/// # Errors
/// The campaign does not exist in this workspace.
pub async fn tests(
    app: &App,
    actor: &Actor,
    id: &CampaignId,
    page: &PageRequest,
) -> Result<Page<TestSend>, Error> {
    actor.require(Permission::ReadCampaigns)?;
    let scope = app.store.workspace(&actor.workspace);
    find(app, scope, id).await?;
    page::of_range(app, &scope.tests(id), page, Order::NewestFirst).await
}

/// Sends a test that was asked for.
///
/// # Errors
/// [`Error::Later`] while another sender may have it or the number rests; or the store or the files
/// cannot be reached.
pub async fn run(app: App, task: CampaignTest) -> Result<(), Error> {
    let scope = app.store.workspace(&task.workspace);
    let test: TestSend = app
        .store
        .get(&scope.test(&task.campaign, &task.test))
        .await?
        .ok_or_else(|| Error::broken("a queued test does not exist"))?;
    let sender = Sender {
        app: &app,
        scope,
        task: &task,
    };
    match test.state {
        TestState::Queued => sender.send(&test).await,
        TestState::Sending => sender.abandoned(&test).await,
        TestState::Accepted | TestState::Failed | TestState::Unknown => Ok(()),
    }
}

struct Sender<'a> {
    app: &'a App,
    scope: Scope<'a>,
    task: &'a CampaignTest,
}

impl Sender<'_> {
    async fn send(&self, test: &TestSend) -> Result<(), Error> {
        let channel = channel::find(self.app, self.scope, &test.channel).await?;
        let header = content::header(self.app, self.scope, test.header.as_ref(), &channel).await?;
        let header = match header {
            Handed::Over(header) => header,
            Handed::Later(after) => return self.app.enqueue(self.task, after).await,
            Handed::Never(reason) => {
                let failed = Ended::failed(None, reason);
                return self.settle(TestState::Queued, failed).await;
            }
        };
        // Meta counts whoever is written to, for a test as well.
        let budget = budget::take(self.app, &channel, 1).await?;
        if budget.people == 0 {
            let failed = Ended::failed(None, budget::USED_UP.to_owned());
            return self.settle(TestState::Queued, failed).await;
        }
        let lane = Lane::new(self.app, self.scope, &channel);
        let claim = self
            .own(TestState::Queued)?
            .set("state", &TestState::Sending)?
            .set("lease", &(self.app.now() + lease(self.app)))?;
        if !self.app.store.write(claim).await?.yes() {
            // Somebody else has it; the next delivery sees what became of it.
            let after = Duration::from_secs(1);
            return Err(Error::Later { after });
        }
        if let Err(error) = lane.turn().await {
            // Nothing was sent yet.
            let back = self.own(TestState::Sending)?;
            let back = back.set("state", &TestState::Queued)?.remove("lease");
            self.app.store.write(back).await?;
            return Err(error);
        }
        let ended = self.call(test, header.as_ref(), &channel, &lane).await?;
        self.settle(TestState::Sending, ended).await
    }

    async fn call(
        &self,
        test: &TestSend,
        header: Option<&HeaderContent<whatsapp::UploadedMedia>>,
        channel: &Channel,
        lane: &Lane<'_>,
    ) -> Result<Ended, Error> {
        let token = channel::token(self.app, self.scope, channel)?;
        let callback_data = test.id.to_string();
        let message = TemplateMessage::new(&test.template, header, &test.values, &callback_data);
        let message = Outbound {
            to: test.phone.to_string(),
            content: whatsapp::Content::Template(message),
            context: None,
            callback_data,
        };
        let number = &channel.phone_number_id;
        let refusal = match self.app.whatsapp.send(&token, number, &message).await {
            Ok(accepted) => return Ok(Ended::accepted(accepted.wamid)),
            Err(SendError::Unknown(_)) => return Ok(Ended::unknown()),
            // Whoever asked for it is looking, and may ask again.
            Err(SendError::NotSent(_)) => return Ok(Ended::failed(None, OUT_OF_REACH.to_owned())),
            Err(SendError::Refused(refusal)) => refusal,
        };
        if refusal.class() == ErrorClass::Unclear {
            return Ok(Ended::unknown());
        }
        if refusal.class() == ErrorClass::Slow
            && let Err(error) = lane.rest(jiff::SignedDuration::ZERO).await
        {
            tracing::warn!(error = error.chain(), "the number was not told to rest");
        }
        let reason = whatsapp::reason(refusal.code);
        Ok(Ended::failed(Some(refusal.code), reason.to_owned()))
    }

    /// A test whose sender is gone may have been sent.
    async fn abandoned(&self, test: &TestSend) -> Result<(), Error> {
        let left = test
            .lease
            .map(|lease| lease.duration_since(self.app.now()))
            .and_then(|left| Duration::try_from(left).ok());
        match left {
            Some(after) if !after.is_zero() => Err(Error::Later { after }),
            _ => self.settle(TestState::Sending, Ended::unknown()).await,
        }
    }

    /// Says what became of the test, once.
    async fn settle(&self, from: TestState, ended: Ended) -> Result<(), Error> {
        let Ended {
            state,
            wamid,
            code,
            reason,
        } = ended;
        let settled = self
            .own(from)?
            .set("state", &state)?
            .set("wamid", &wamid)?
            .set("code", &code)?
            .set("reason", &reason)?
            .remove("lease");
        self.app.store.write(settled).await?;
        Ok(())
    }

    fn own(&self, state: TestState) -> Result<Write, Error> {
        let key = self.scope.test(&self.task.campaign, &self.task.test);
        Write::update(key).if_equals("state", &state)
    }
}

/// What became of a test.
struct Ended {
    state: TestState,
    wamid: Option<String>,
    code: Option<i64>,
    reason: Option<String>,
}

impl Ended {
    fn accepted(wamid: String) -> Self {
        Self {
            state: TestState::Accepted,
            wamid: Some(wamid),
            code: None,
            reason: None,
        }
    }

    fn failed(code: Option<i64>, reason: String) -> Self {
        Self {
            state: TestState::Failed,
            wamid: None,
            code,
            reason: Some(reason),
        }
    }

    fn unknown() -> Self {
        Self {
            state: TestState::Unknown,
            wamid: None,
            code: None,
            reason: Some(UNKNOWN.to_owned()),
        }
    }
}

/// A person who asked to be left alone, or is blocked, gets no tests either.
async fn willing(app: &App, scope: Scope<'_>, phone: &Phone) -> Result<(), Error> {
    let contact = contact::by_phone(app, scope, phone).await?;
    let Some(barred) = contact.as_ref().and_then(Contact::barred) else {
        return Ok(());
    };
    let message = match barred {
        Excluded::OptedOut => {
            "this person has opted out of messages; send the test to another number"
        }
        barred => barred.reason(),
    };
    Err(Error::invalid("phone", message))
}

fn unfillable(error: &Unfillable) -> Error {
    let (field, words) = match error {
        Unfillable::MissingValue { slot } => {
            (format!("variables.{slot}"), "; name a contact who has one")
        }
        Unfillable::Unfit { slot, .. } => (format!("variables.{slot}"), ""),
        Unfillable::BodyTooLong { .. } | Unfillable::HeaderTooLong { .. } => {
            ("contact".to_owned(), "")
        }
    };
    Error::invalid(field, format!("{error}{words}"))
}
