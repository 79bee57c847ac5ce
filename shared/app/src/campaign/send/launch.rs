//! Launching messages, each at its slot, while answers come in and outcomes are written.
//!
//! Three things go on at once in one task: messages are handed over at their slots, their calls run,
//! and outcomes are written. None of them waits for another, so a slow answer or a slow write never
//! costs a slot.

use std::collections::{HashMap, VecDeque};

use domain::campaign::RecipientRef;
use domain::message::Outcome as Rank;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, watch};
use whatsapp::{AccessToken, Content, ErrorClass, Outbound, SendError, TemplateMessage};

use super::claim::Held;
use super::record::{self, Known};
use super::slots::Slots;
use super::{Chunk, Ended};
use crate::campaign::outcome::Evidence;
use crate::campaign::pacer;
use crate::{Error, channel};

/// How often a message that was certainly not accepted is launched.
const ATTEMPTS: u32 = 5;

/// How long a number rests after Meta called it too fast.
const REST_US: i64 = 1_000_000;

/// Kept free at the end of an invocation, for Meta's answers and the last writes.
const MARGIN: SignedDuration = SignedDuration::from_secs(45);

/// What became of one launch.
enum Answer {
    Settled(Rank, Evidence),
    /// Certainly not accepted; it may be launched again.
    Again {
        slow: bool,
        code: Option<i64>,
    },
    /// Nobody of this campaign will be accepted.
    Stop {
        code: i64,
    },
}

/// Why a round ended before everyone was launched.
#[derive(Debug, Clone, Copy)]
enum Stop {
    OutOfTime,
    Refused { code: i64 },
}

/// Sends to everyone of `free`, in order.
pub(super) async fn all(chunk: &Chunk<'_>, held: &Held, free: Vec<u32>) -> Result<Ended, Error> {
    let token = channel::token(chunk.app, chunk.scope, chunk.channel)?;
    let limit = SignedDuration::try_from(chunk.app.config.invocation).unwrap_or(MARGIN);
    let deadline = chunk.app.now() + limit - MARGIN;
    let mut round = Round {
        chunk,
        held,
        token: &token,
        deadline,
        tries: HashMap::new(),
    };
    let mut todo = VecDeque::from(free);
    // Usually one round; another for those that Meta certainly did not accept.
    while !todo.is_empty() {
        let (left, stop) = round.run(todo).await?;
        // Everyone below this place has an outcome, so nobody from it on who lacks one was accepted.
        let next = left.iter().copied().min().unwrap_or(u32::MAX);
        match stop {
            None => todo = left,
            Some(Stop::OutOfTime) => return Ok(Ended::Stopped { next }),
            Some(Stop::Refused { code }) => return Ok(Ended::Refused { code, next }),
        }
    }
    Ok(Ended::Settled)
}

struct Round<'a> {
    chunk: &'a Chunk<'a>,
    held: &'a Held,
    token: &'a AccessToken,
    deadline: Timestamp,
    /// How often each was launched, of those that were launched in vain.
    tries: HashMap<u32, u32>,
}

impl Round<'_> {
    /// Launches everyone of `todo` once. Returns who was not accepted and may be launched again, and
    /// why the round ended early.
    async fn run(&mut self, todo: VecDeque<u32>) -> Result<(VecDeque<u32>, Option<Stop>), Error> {
        let (launched, launches) = mpsc::unbounded_channel();
        let (learned, known) = mpsc::unbounded_channel();
        let (refuse, refused) = watch::channel(None);
        let (chunk, held, deadline) = (self.chunk, self.held, self.deadline);
        let (launch, again, recorded) = tokio::join!(
            launch(chunk, held, deadline, todo, launched, refused),
            self.answers(launches, learned, refuse),
            record::gather(chunk, known),
        );
        recorded?;
        let (mut left, stop) = launch?;
        left.extend(again?);
        Ok((left, stop))
    }

    /// Runs the calls of what is launched, and passes on what is learned. Returns those to try again.
    async fn answers(
        &mut self,
        mut launches: mpsc::UnboundedReceiver<u32>,
        learned: mpsc::UnboundedSender<Known>,
        refuse: watch::Sender<Option<i64>>,
    ) -> Result<Vec<u32>, Error> {
        let (chunk, token) = (self.chunk, self.token);
        let mut again = Vec::new();
        let mut slow = false;
        let mut open = FuturesUnordered::new();
        let mut ended = false;
        while !(ended && open.is_empty()) {
            let (index, answer) = tokio::select! {
                biased;
                launch = launches.recv(), if !ended => {
                    match launch {
                        Some(index) => open.push(send(chunk, token, index).map(move |answer| (index, answer))),
                        None => ended = true,
                    }
                    continue;
                }
                Some(answered) = open.next() => answered,
            };
            let settled = match answer {
                Answer::Settled(status, evidence) => Some((status, evidence)),
                Answer::Stop { code } => {
                    refuse.send_replace(Some(code));
                    Some((Rank::Failed, failure(code)))
                }
                Answer::Again {
                    slow: too_fast,
                    code,
                } => {
                    slow |= too_fast;
                    let tries = self.tries.entry(index).or_default();
                    *tries += 1;
                    let given_up = *tries == ATTEMPTS;
                    if !given_up {
                        again.push(index);
                    }
                    given_up.then_some((Rank::Failed, Evidence { wamid: None, code }))
                }
            };
            if let Some((status, evidence)) = settled {
                // The receiver is gone only when writing failed, and then the chunk is taken over.
                let _ = learned.send((index, status, evidence));
            }
        }
        if slow {
            pacer::hold(chunk.app, chunk.scope, &chunk.channel.id, REST_US).await?;
        }
        Ok(again)
    }
}

/// Hands each message over at its slot. Returns who was not launched, and why.
async fn launch(
    chunk: &Chunk<'_>,
    held: &Held,
    deadline: Timestamp,
    mut todo: VecDeque<u32>,
    launched: mpsc::UnboundedSender<u32>,
    refused: watch::Receiver<Option<i64>>,
) -> Result<(VecDeque<u32>, Option<Stop>), Error> {
    let mut slots = Slots::new(chunk, held);
    while let Some(index) = todo.front().copied() {
        if let Some(code) = *refused.borrow() {
            return Ok((todo, Some(Stop::Refused { code })));
        }
        if chunk.app.now() >= deadline || !slots.turn(&todo).await? {
            return Ok((todo, Some(Stop::OutOfTime)));
        }
        todo.pop_front();
        // The receiver lives as long as this sender: both are parts of one join.
        let _ = launched.send(index);
    }
    Ok((todo, None))
}

async fn send(chunk: &Chunk<'_>, token: &AccessToken, index: u32) -> Answer {
    let Some(person) = chunk.people.people.get(index as usize) else {
        return Answer::Settled(Rank::Failed, Evidence::default());
    };
    let recipient = RecipientRef {
        campaign: chunk.campaign.id.clone(),
        chunk: chunk.number,
        index,
    };
    let message = Outbound {
        to: person.phone.to_string(),
        content: Content::Template(TemplateMessage::new(
            &chunk.campaign.template,
            &person.values,
        )),
        callback_data: recipient.to_string(),
    };
    match chunk
        .app
        .whatsapp
        .send(token, &chunk.channel.phone_number_id, &message)
        .await
    {
        Ok(accepted) => Answer::Settled(
            Rank::Accepted,
            Evidence {
                wamid: Some(accepted.wamid),
                code: None,
            },
        ),
        Err(SendError::Unknown(_)) => Answer::Settled(Rank::Unknown, Evidence::default()),
        Err(SendError::NotSent(_)) => Answer::Again {
            slow: false,
            code: None,
        },
        Err(SendError::Refused(refusal)) => match refusal.class() {
            ErrorClass::Slow => Answer::Again {
                slow: true,
                code: Some(refusal.code),
            },
            ErrorClass::HoldPerson => Answer::Again {
                slow: false,
                code: Some(refusal.code),
            },
            ErrorClass::DropPerson => Answer::Settled(Rank::Failed, failure(refusal.code)),
            ErrorClass::StopCampaign => Answer::Stop { code: refusal.code },
            ErrorClass::Unclear => Answer::Settled(Rank::Unknown, Evidence::default()),
        },
    }
}

fn failure(code: i64) -> Evidence {
    Evidence {
        wamid: None,
        code: Some(code),
    }
}
