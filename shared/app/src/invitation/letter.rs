//! The mail of an invitation: its token, and what became of it.

use domain::id::{InvitationId, WorkspaceId};

use super::{Invitation, Mailed, inviter, url};
use crate::mail::Words;
use crate::ports::Letter;
use crate::store::Write;
use crate::{App, Error, mail, secret, user, workspace};

/// The letter, with a token that is drawn for it; `None` when the invitation is not open any more.
pub(crate) async fn letter(
    app: &App,
    workspace: &WorkspaceId,
    id: &InvitationId,
) -> Result<Option<Letter>, Error> {
    let scope = app.store.workspace(workspace);
    let key = scope.invitation(id);
    let invitation: Option<Invitation> = app.store.get(&key).await?;
    let Some(invitation) = invitation.filter(|invitation| invitation.open(app.now())) else {
        return Ok(None);
    };
    let Some(email) = invitation.email.clone() else {
        return Ok(None);
    };
    let token = secret::random_token();
    let hash = secret::token_hash(&token);
    let drawn = Write::update(key)
        .set("token_hash", &hash)?
        .if_equals("created_at", &invitation.created_at)?;
    let mut writes = vec![
        drawn,
        Write::create(app.store.invitation_hash(&hash), &invitation.owner())?,
    ];
    writes.extend(invitation.forgets(app));
    // Revoked in this moment: then there is nothing to send.
    if !app.store.transact(writes).await?.yes() {
        return Ok(None);
    }
    let known = user::by_email(app, &email).await?;
    let language = known.and_then(|user| user.language).or(invitation.language);
    let inviter = inviter(app, &invitation).await?;
    let workspace = workspace::get(app, workspace).await?;
    let words: Words = mail::invitation(
        language.unwrap_or_default(),
        inviter.as_deref().unwrap_or(&workspace.name),
        &workspace.name,
        invitation.role,
        url(app, &token),
    );
    Ok(Some(words.letter(email)))
}

/// Notes what became of the mail. An invitation that is gone needs no note.
pub(crate) async fn mailed(
    app: &App,
    workspace: &WorkspaceId,
    id: &InvitationId,
    mailed: Mailed,
) -> Result<(), Error> {
    let write = Write::update(app.store.workspace(workspace).invitation(id))
        .set("mail", &mailed)?
        .if_present();
    app.store.write(write).await?;
    Ok(())
}
