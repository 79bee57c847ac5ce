//! What people do with the messages they got: they look at them, and listen to them.

use std::sync::Arc;

use super::Hand;
use crate::arrivals::is_voice;
use crate::core::lock;
use crate::fate::Step;
use crate::store::Change;

impl Hand<'_> {
    /// Has one message, or all that the number has sent them, be read or played now; says how many were
    /// not before. Of one that never arrived that is an error.
    pub(super) fn reach(&self, step: Step, wamid: Option<&str>) -> Result<usize, String> {
        let core = self.core;
        let now_ms = core.time.now_ms();
        let mut ledger = lock(&core.ledger);
        let mut outbox = lock(&core.outbox);
        let theirs: Vec<_> = ledger
            .sent_to(&self.from)
            .iter()
            .filter_map(|number| Some((*number, Arc::clone(&ledger.get(*number)?.message))))
            .filter(|(_, message)| {
                message.phone_number_id == self.number.id
                    && wamid.is_none_or(|wamid| wamid == message.wamid)
            })
            .collect();
        if let Some(wamid) = wamid
            && theirs.is_empty()
        {
            return Err(format!("{wamid} was not sent to this person"));
        }
        let mut count = 0;
        for (number, message) in theirs {
            let possible = match step {
                Step::Played => is_voice(message.content.as_ref()),
                _ => message.kind != "reaction",
            };
            let mut message = (*message).clone();
            let reached = possible.then(|| message.plan.reach(step, now_ms)).flatten();
            let Some(reached) = reached else {
                match wamid {
                    Some(wamid) => {
                        let what = step.name();
                        return Err(format!("{wamid} did not arrive, or cannot be {what}"));
                    }
                    None => continue,
                }
            };
            if reached.is_empty() {
                continue;
            }
            count += 1;
            let message = Arc::new(message);
            core.record(|| Change::Planned(number, Arc::clone(&message)));
            if let Some(entry) = ledger.get_mut(number) {
                entry.message = message;
            }
            for step in reached {
                outbox.hasten(number, step, now_ms);
            }
        }
        drop((outbox, ledger));
        core.wake.notify_one();
        Ok(count)
    }
}
