//! Handing a file to the number that is to show it.
//!
//! A file goes to Meta once for each number, and Meta forgets it after thirty days. Which of several
//! senders hands it over is decided by a lease on one item. Were two to do it all the same, the file
//! would be at Meta twice and one of the two ids be kept: both work.

use std::time::Duration;

use domain::id::MediaId;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use whatsapp::{ApiError, ErrorClass, KEPT, UPLOAD_AT_MOST, Upload, UploadedMedia};

use super::find;
use crate::channel::{self, Channel};
use crate::store::{Scope, Write};
use crate::{App, Error};

/// A file that Meta will forget this soon is handed over anew: longer than Meta may take to fetch it
/// for a message that is under way.
const MARGIN: SignedDuration = SignedDuration::from_hours(24);

/// How long the lease outlives the longest upload.
const SPARE: Duration = Duration::from_secs(15);

/// How soon to look again while somebody else hands the file over.
const BUSY: Duration = Duration::from_secs(2);

/// How soon to try again when Meta cannot be reached or asks for patience.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where a file stands at a number.
pub(crate) enum Handed<T> {
    /// Meta has it for long enough: this is how messages name it.
    Over(T),
    /// Ask again after this time. It is zero for whoever has just handed it over: that may have used
    /// up most of an invocation, and sending wants a whole one.
    Later(Duration),
    /// It will not be taken, for this reason.
    Never(String),
}

/// A file at one number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct AtNumber {
    /// Meta's id of it, and until when Meta keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uploaded: Option<(String, Timestamp)>,
    /// Until when somebody may be handing it over. No two attempts have the same.
    lease: Timestamp,
}

/// The file as the channel's number can show it, handed over if need be.
///
/// # Errors
/// The store or the files cannot be reached.
pub(crate) async fn hand_over(
    app: &App,
    scope: Scope<'_>,
    channel: &Channel,
    id: &MediaId,
) -> Result<Handed<UploadedMedia>, Error> {
    let key = || scope.media_at(id, &channel.id);
    let known: Option<AtNumber> = app.store.get(&key()).await?;
    let now = app.now();
    if let Some((uploaded, until)) = known.as_ref().and_then(|known| known.uploaded.clone())
        && until.duration_since(now) > MARGIN
    {
        return Ok(Handed::Over(UploadedMedia(uploaded)));
    }
    if known.as_ref().is_some_and(|known| known.lease > now) {
        return Ok(Handed::Later(BUSY));
    }
    let lease = now + UPLOAD_AT_MOST + SPARE;
    let claim = match &known {
        None => {
            let uploaded = None;
            Write::create(key(), &AtNumber { uploaded, lease })?
        }
        Some(known) => Write::update(key())
            .set("lease", &lease)?
            .if_equals("lease", &known.lease)?,
    };
    if !app.store.write(claim).await?.yes() {
        return Ok(Handed::Later(BUSY));
    }
    let uploaded = upload(app, scope, channel, id).await;
    let own = Write::update(key()).if_equals("lease", &lease)?;
    // A lease that ran out belongs to somebody else, who knows better.
    match uploaded {
        Ok(Ok(UploadedMedia(uploaded))) => {
            let uploaded = (uploaded, app.now() + KEPT);
            app.store.write(own.set("uploaded", &uploaded)?).await?;
            Ok(Handed::Later(Duration::ZERO))
        }
        Ok(Err(refused)) => {
            app.store.write(own.set("lease", &app.now())?).await?;
            Ok(refused)
        }
        Err(error) => {
            app.store.write(own.set("lease", &app.now())?).await?;
            Err(error)
        }
    }
}

async fn upload(
    app: &App,
    scope: Scope<'_>,
    channel: &Channel,
    id: &MediaId,
) -> Result<Result<UploadedMedia, Handed<UploadedMedia>>, Error> {
    let gone = || Handed::Never("The file of the message was deleted.".to_owned());
    let media = match find(app, scope, id).await {
        Err(Error::NotFound { .. }) => return Ok(Err(gone())),
        media => media?,
    };
    let bytes = match app.files.open(&media.file(scope.workspace), 0).await {
        Err(Error::NotFound { .. }) => return Ok(Err(gone())),
        bytes => bytes?,
    };
    let token = channel::token(app, scope, channel)?;
    let upload = Upload {
        file_name: media.file_name,
        mime_type: media.mime_type.as_str(),
        size: media.size,
        bytes,
    };
    let answer = app
        .whatsapp
        .upload(&token, &channel.phone_number_id, upload)
        .await;
    Ok(answer.map_err(|error| match error {
        ApiError::Refused(refusal) => match refusal.class() {
            ErrorClass::StopCampaign | ErrorClass::DropPerson => {
                Handed::Never(whatsapp::reason(refusal.code).to_owned())
            }
            ErrorClass::Slow | ErrorClass::HoldPerson | ErrorClass::Unclear => {
                Handed::Later(PATIENCE)
            }
        },
        // Nobody was written to, so it is simply tried again.
        ApiError::Unreachable(why) | ApiError::Unreadable(why) => {
            tracing::warn!(why, "a file was not handed to its number");
            Handed::Later(PATIENCE)
        }
    }))
}
