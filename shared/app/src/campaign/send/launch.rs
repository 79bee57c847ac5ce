//! Launching messages, each at its slot, while answers come in and outcomes are written.
//!
//! Three things go on at once in one task: messages are handed over at their slots, their calls run,
//! and outcomes are written. None of them waits for another, so a slow answer or a slow write never
//! costs a slot.

use domain::campaign::RecipientRef;
use domain::message::Outcome as Rank;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, watch};
use whatsapp::{AccessToken, Content, ErrorClass, Outbound, SendError, TemplateMessage};

use super::claim::Held;
use super::record::{self, Known};
use super::slots::{Slots, Turn};
use super::{Chunk, Ended};
use crate::campaign::outcome::Evidence;
use crate::pacer::Lane;
use crate::{Error, channel};

/// How often a person is tried whom Meta wants to be left alone for a moment.
const ATTEMPTS: u32 = 5;

/// How long a number rests at least when the limit that was reached is not the number's own second:
/// the account's calls, or Meta at work on it (Meta: error codes 4, 80007, 131057).
const ACCOUNT_REST: SignedDuration = SignedDuration::from_secs(60);

/// The number itself sends too fast (Meta: throughput).
const THROUGHPUT: i64 = 130_429;

/// Kept free at the end of an invocation, for Meta's answers and the last writes.
const MARGIN: SignedDuration = SignedDuration::from_secs(45);

/// What became of one launch.
enum Answer {
    Settled(Rank, Evidence),
    /// Certainly not accepted, and nobody else would be before the number has rested this long.
    Wait {
        shortest: SignedDuration,
    },
    /// Certainly not accepted, because this person was written to too often just now.
    Hold {
        code: i64,
    },
    /// Certainly not accepted, and nobody of this campaign will be until its owner has cured the cause.
    Stop {
        code: i64,
    },
}

/// Why a round ended before everyone was launched.
enum Stop {
    OutOfTime,
    /// The campaign does not send any more, or the claim was lost.
    Over,
    /// No slot is free before this instant, in microseconds since the epoch.
    NotBefore(i64),
    Halted(Halt),
    Failed(Error),
}

/// What an answer says about everyone who is not launched yet.
#[derive(Debug, Clone, Copy)]
enum Halt {
    /// WhatsApp is out of reach, or the number too fast for it.
    Wait {
        shortest: SignedDuration,
    },
    Refused {
        code: i64,
    },
}

impl Halt {
    /// Of two halts the one that asks for more: whom Meta refuses altogether need not wait.
    fn or(self, other: Option<Self>) -> Self {
        match (self, other) {
            (refused @ Self::Refused { .. }, _)
            | (Self::Wait { .. }, Some(refused @ Self::Refused { .. })) => refused,
            (Self::Wait { shortest }, Some(Self::Wait { shortest: before })) => Self::Wait {
                shortest: shortest.max(before),
            },
            (wait @ Self::Wait { .. }, None) => wait,
        }
    }
}

/// Sends to everyone of `free`, in order. Returns how that ended, and how many were not accepted and
/// have no outcome.
pub(super) async fn all(
    chunk: &Chunk<'_>,
    held: &Held,
    free: Vec<u32>,
) -> Result<(Ended, usize), Error> {
    let token = channel::token(chunk.app, chunk.scope, chunk.channel)?;
    let deadline = chunk.app.last_start(MARGIN);
    let lane = Lane::new(chunk.app, chunk.scope, chunk.channel);
    let round = Round {
        chunk,
        held,
        token: &token,
        deadline,
        lane: &lane,
    };
    let (left, stop) = round.run(free).await?;
    if let Some(Stop::Halted(Halt::Wait { shortest })) = stop {
        round.rest(shortest).await;
    }
    // Everyone below this place has an outcome, so nobody from it on who lacks one was accepted.
    let next = left.iter().copied().min().unwrap_or(u32::MAX);
    let ended = match stop {
        Some(Stop::Halted(Halt::Refused { code })) => Ended::Refused { code, next },
        // The last answer may have said so after everyone was launched and settled.
        _ if left.is_empty() => Ended::Settled,
        Some(Stop::Over) => Ended::Over { next },
        Some(Stop::OutOfTime) => Ended::Stopped {
            next,
            after: SignedDuration::ZERO,
        },
        Some(Stop::NotBefore(instant)) => Ended::Stopped {
            next,
            after: SignedDuration::from_micros(instant - chunk.app.now().as_microsecond()),
        },
        // The next turn finds out how long the number rests.
        Some(Stop::Halted(Halt::Wait { .. })) => Ended::Stopped {
            next,
            after: SignedDuration::from_secs(1),
        },
        Some(Stop::Failed(error)) => Ended::Failed { error, next },
        // Only those are left whom Meta wants to be left alone for a while.
        None => Ended::Held { next },
    };
    Ok((ended, left.len()))
}

struct Round<'a> {
    chunk: &'a Chunk<'a>,
    held: &'a Held,
    token: &'a AccessToken,
    deadline: Timestamp,
    lane: &'a Lane<'a>,
}

impl Round<'_> {
    /// Launches everyone of `people` once. Returns who was not accepted and may be launched again, and
    /// why the round ended early.
    ///
    /// # Errors
    /// Outcomes cannot be written. Then it is not known who was accepted, and the chunk is left to be
    /// taken over.
    async fn run(&self, people: Vec<u32>) -> Result<(Vec<u32>, Option<Stop>), Error> {
        let (launched, launches) = mpsc::unbounded_channel();
        let (learned, known) = mpsc::unbounded_channel();
        let (halt, halted) = watch::channel(None);
        let ((mut left, stop), again, recorded) = tokio::join!(
            self.launch(people, launched, halted.clone()),
            self.answers(launches, learned, halt),
            record::gather(self.chunk, known),
        );
        recorded?;
        left.extend(again);
        // An answer that came after the last launch counts like one that came before.
        let halt = *halted.borrow();
        Ok((left, halt.map(Stop::Halted).or(stop)))
    }

    /// Lets the number rest. When the store does not take it, others find out by themselves that the
    /// number is too fast.
    async fn rest(&self, shortest: SignedDuration) {
        if let Err(error) = self.lane.rest(shortest).await {
            tracing::warn!(error = error.chain(), "the number was not told to rest");
        }
    }

    /// Runs the calls of what is launched, and passes on what is learned. Returns those to try again.
    async fn answers(
        &self,
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
                    halt.send_modify(|halt| *halt = Some(Halt::Refused { code }.or(*halt)));
                    again.push(index);
                    None
                }
                Answer::Wait { shortest } => {
                    halt.send_modify(|halt| *halt = Some(Halt::Wait { shortest }.or(*halt)));
                    again.push(index);
                    None
                }
                Answer::Hold { code } => {
                    let given_up = self.held.holds() + 1 >= ATTEMPTS;
                    if !given_up {
                        again.push(index);
                    }
                    given_up.then_some((Rank::Failed, failure(code)))
                }
            };
            if let Some((status, evidence)) = settled {
                // The receiver is gone only when writing failed: then nobody else is launched.
                if learned.send((index, status, evidence)).is_err() {
                    let shortest = SignedDuration::ZERO;
                    halt.send_modify(|halt| *halt = Some(Halt::Wait { shortest }.or(*halt)));
                }
            }
        }
        again
    }

    /// Hands each message over at its slot. Returns who was not launched, and why.
    async fn launch(
        &self,
        people: Vec<u32>,
        launched: mpsc::UnboundedSender<u32>,
        halted: watch::Receiver<Option<Halt>>,
    ) -> (Vec<u32>, Option<Stop>) {
        let mut slots = Slots::new(self.chunk, self.held, self.lane, people);
        let mut stop = None;
        let mut launching = None;
        while stop.is_none() {
            let turn = slots.turn(self.deadline).await;
            match turn {
                Ok(Turn::Of(index)) => match *halted.borrow() {
                    // A refusal that came while the turn was waited for stops this one too.
                    Some(halt) => {
                        launching = Some(index);
                        stop = Some(Stop::Halted(halt));
                    }
                    // The receiver lives as long as this sender: both are parts of one join.
                    None => drop(launched.send(index)),
                },
                Ok(Turn::Nobody) => break,
                Ok(Turn::Over) => stop = Some(Stop::Over),
                Ok(Turn::OutOfTime) => stop = Some(Stop::OutOfTime),
                Ok(Turn::NotBefore(instant)) => stop = Some(Stop::NotBefore(instant)),
                Err(error) => stop = Some(Stop::Failed(error)),
            }
        }
        let mut left = slots.left();
        left.extend(launching);
        (left, stop)
    }
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
    let callback_data = recipient.to_string();
    let message = Outbound {
        to: person.phone.to_string(),
        content: Content::Template(TemplateMessage::new(
            &chunk.campaign.template,
            chunk.header.as_ref(),
            &person.values,
            &callback_data,
        )),
        context: None,
        callback_data,
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
        Err(SendError::NotSent(_)) => Answer::Wait {
            shortest: SignedDuration::ZERO,
        },
        Err(SendError::Refused(refusal)) => match refusal.class() {
            ErrorClass::Slow => Answer::Wait {
                shortest: if refusal.code == THROUGHPUT {
                    SignedDuration::ZERO
                } else {
                    ACCOUNT_REST
                },
            },
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
