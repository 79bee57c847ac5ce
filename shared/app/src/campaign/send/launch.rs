//! Launching messages, each at its slot, while answers come in and outcomes are written.
//!
//! Three things go on at once in one task: messages are handed over at their slots, their calls run,
//! and outcomes are written. None of them waits for another, so a slow answer or a slow write never
//! costs a slot.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

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

/// How often a person is tried whom Meta wants to be left alone for a moment.
const ATTEMPTS: u32 = 5;

/// How long the rest of a chunk waits when WhatsApp is out of reach or the number too fast for it.
const WAIT: Duration = Duration::from_secs(5);

/// How long a number rests after Meta called it too fast.
const REST_US: i64 = 1_000_000;

/// Kept free at the end of an invocation, for Meta's answers and the last writes.
const MARGIN: SignedDuration = SignedDuration::from_secs(45);

/// What became of one launch.
enum Answer {
    Settled(Rank, Evidence),
    /// Certainly not accepted, and nobody else would be at the moment.
    Wait,
    /// Certainly not accepted, because this person was written to too often just now.
    Hold {
        code: i64,
    },
    /// Nobody of this campaign will be accepted.
    Stop {
        code: i64,
    },
}

/// Why a round ended before everyone was launched.
enum Stop {
    OutOfTime,
    Halted(Halt),
    Failed(Error),
}

/// What an answer says about everyone who is not launched yet.
#[derive(Debug, Clone, Copy)]
enum Halt {
    /// WhatsApp is out of reach, or the number too fast for it.
    Wait,
    Refused {
        code: i64,
    },
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
    // Usually one round; another for those whom Meta wants to be left alone for a moment.
    while !todo.is_empty() {
        let (left, stop) = round.run(todo).await?;
        // Everyone below this place has an outcome, so nobody from it on who lacks one was accepted.
        let next = left.iter().copied().min().unwrap_or(u32::MAX);
        match stop {
            None => todo = left,
            Some(Stop::Halted(Halt::Refused { code })) => return Ok(Ended::Refused { code, next }),
            // The last answer may have said so after everyone was launched and settled.
            Some(_) if left.is_empty() => todo = left,
            Some(Stop::OutOfTime) => {
                let after = Duration::ZERO;
                return Ok(Ended::Stopped { next, after });
            }
            Some(Stop::Halted(Halt::Wait)) => {
                let after = WAIT;
                return Ok(Ended::Stopped { next, after });
            }
            Some(Stop::Failed(error)) => return Ok(Ended::Failed { error, next }),
        }
    }
    Ok(Ended::Settled)
}

struct Round<'a> {
    chunk: &'a Chunk<'a>,
    held: &'a Held,
    token: &'a AccessToken,
    deadline: Timestamp,
    /// How often each was launched, of those whom Meta wants to be left alone.
    tries: HashMap<u32, u32>,
}

impl Round<'_> {
    /// Launches everyone of `todo` once. Returns who was not accepted and may be launched again, and
    /// why the round ended early.
    ///
    /// # Errors
    /// Outcomes cannot be written. Then it is not known who was accepted, and the chunk is left to be
    /// taken over.
    async fn run(&mut self, todo: VecDeque<u32>) -> Result<(VecDeque<u32>, Option<Stop>), Error> {
        let (launched, launches) = mpsc::unbounded_channel();
        let (learned, known) = mpsc::unbounded_channel();
        let (halt, halted) = watch::channel(None);
        let (chunk, held, deadline) = (self.chunk, self.held, self.deadline);
        let ((mut left, stop), again, recorded) = tokio::join!(
            launch(chunk, held, deadline, todo, launched, halted.clone()),
            self.answers(launches, learned, halt),
            record::gather(chunk, known),
        );
        recorded?;
        left.extend(again);
        let halt = *halted.borrow();
        match halt {
            // An answer that came after the last launch counts like one that came before.
            Some(halt) => {
                if matches!(halt, Halt::Wait) {
                    self.rest().await;
                }
                Ok((left, Some(Stop::Halted(halt))))
            }
            None => Ok((left, stop)),
        }
    }

    /// Lets the number rest. When that fails, others find out by themselves that it is too fast.
    async fn rest(&self) {
        let Chunk {
            app,
            scope,
            channel,
            ..
        } = *self.chunk;
        if let Err(error) = pacer::hold(app, scope, &channel.id, REST_US).await {
            tracing::warn!(error = error.chain(), "the number was not held");
        }
    }

    /// Runs the calls of what is launched, and passes on what is learned. Returns those to try again.
    async fn answers(
        &mut self,
        mut launches: mpsc::UnboundedReceiver<u32>,
        learned: mpsc::UnboundedSender<Known>,
        halt: watch::Sender<Option<Halt>>,
    ) -> Vec<u32> {
        let (chunk, token) = (self.chunk, self.token);
        let mut again = Vec::new();
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
                    halt.send_replace(Some(Halt::Refused { code }));
                    Some((Rank::Failed, failure(code)))
                }
                Answer::Wait => {
                    halt.send_modify(|halt| {
                        halt.get_or_insert(Halt::Wait);
                    });
                    again.push(index);
                    None
                }
                Answer::Hold { code } => {
                    let tries = self.tries.entry(index).or_default();
                    *tries += 1;
                    let given_up = *tries == ATTEMPTS;
                    if !given_up {
                        again.push(index);
                    }
                    given_up.then_some((Rank::Failed, failure(code)))
                }
            };
            if let Some((status, evidence)) = settled {
                // The receiver is gone only when writing failed: then nobody else is launched.
                if learned.send((index, status, evidence)).is_err() {
                    halt.send_modify(|halt| {
                        halt.get_or_insert(Halt::Wait);
                    });
                }
            }
        }
        again
    }
}

/// Hands each message over at its slot. Returns who was not launched, and why.
async fn launch(
    chunk: &Chunk<'_>,
    held: &Held,
    deadline: Timestamp,
    mut todo: VecDeque<u32>,
    launched: mpsc::UnboundedSender<u32>,
    halted: watch::Receiver<Option<Halt>>,
) -> (VecDeque<u32>, Option<Stop>) {
    let mut slots = Slots::new(chunk, held);
    while let Some(index) = todo.front().copied() {
        if let Some(halt) = *halted.borrow() {
            return (todo, Some(Stop::Halted(halt)));
        }
        match slots.turn(&todo, deadline).await {
            Ok(true) => {}
            Ok(false) => return (todo, Some(Stop::OutOfTime)),
            Err(error) => return (todo, Some(Stop::Failed(error))),
        }
        todo.pop_front();
        // The receiver lives as long as this sender: both are parts of one join.
        let _ = launched.send(index);
    }
    (todo, None)
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
        Err(SendError::NotSent(_)) => Answer::Wait,
        Err(SendError::Refused(refusal)) => match refusal.class() {
            ErrorClass::Slow => Answer::Wait,
            ErrorClass::HoldPerson => Answer::Hold { code: refusal.code },
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
