//! `--text`: a handshake told in text, on either side.

use std::net::SocketAddr;
use std::rc::Rc;

use aperto_app::text::Role;
use aperto_explain::program::saying::Saying;
use aperto_explain::program::told::{Told, ToldWrong};
use aperto_explain::program::{Exit, Fault};
use aperto_explain::sockets::SocketCall;
use aperto_tcp::End;
use aperto_tokio::Conversation;

use super::client::{self, Talk};
use super::server::Room;
use crate::arguments::told::Telling;
use crate::live::net::Net;
use crate::live::told::{self, Ends, Happens, Went};

/// How a person can do it without any program but `nc`.
pub(super) fn by_hand(telling: &Telling, at: SocketAddr) -> Saying {
    let (first, _) = telling.firsts();
    Saying::Told(Told::ByHand { at, dialect: telling.dialect, first, patience: telling.patience })
}

/// How the connection ended, as far as it matters after the last word.
async fn end_of(conversation: &Conversation, went: &Went, done: &std::io::Result<()>) -> End {
    match conversation.ours() {
        Some(stream) => match (stream.ended(), done) {
            (Some(end), _) => end,
            (None, Ok(())) if went.peer_closed => stream.closed().await,
            (None, Ok(())) => End::Closed,
            (None, Err(_)) => End::Reset,
        },
        None if done.is_ok() => End::Closed,
        None => End::Reset,
    }
}

/// The call behind an end.
const fn ends(what: Ends) -> SocketCall {
    match what {
        Ends::WeFirst => SocketCall::Shutdown,
        Ends::WeToo => SocketCall::Close,
        Ends::They => SocketCall::RecvEnd,
    }
}

impl Room {
    /// Serves one client, who is told what it does wrong.
    pub(super) async fn tell(
        self: Rc<Self>,
        mut conversation: Conversation,
        peer: SocketAddr,
        endpoints: Option<aperto_host::Endpoints>,
        label: &str,
        telling: &Telling,
    ) -> Result<Exit, Fault> {
        let label_and_space = format!("{label} ");
        let text = |sent, octets: &[u8]| {
            // What TLS carries would stand in plain in a recording.
            if let (Some(scribe), Some(endpoints), None) = (&self.scribe, endpoints, &self.secure) {
                scribe.lock().text(endpoints, sent, octets);
            }
        };
        let happens = |what: Happens<'_>| match what {
            Happens::Writes(octets) => {
                text(true, octets);
                self.os_call(label, SocketCall::Send(octets.len() as u64));
            }
            Happens::Reads(octets) => {
                text(false, octets);
                self.os_call(label, SocketCall::Recv(octets.len() as u64));
            }
            Happens::Ends(first) => self.os_call(label, ends(first)),
            Happens::Says(told) => self.say(&Saying::Told(told)),
            Happens::GoesWrong(mistake) => {
                let wrong = ToldWrong { remote: peer, mistake: mistake.clone() };
                self.say(&Saying::Told(Told::Wrong { label: label_and_space.clone(), wrong }));
            }
        };
        let language = self.looks.language;
        let (went, done) =
            told::tell(&mut conversation, telling, Role::Server, &label_and_space, language, happens).await;
        let end = end_of(&conversation, &went, &done).await;
        drop(conversation);
        self.connections.set(self.connections.get().saturating_sub(1));
        self.report(label, &went.tally, end, None);
        match (went.mistake, went.complete) {
            (Some(mistake), _) => Err(Fault::Told(ToldWrong { remote: peer, mistake })),
            (None, true) => Ok(Exit::Done),
            (None, false) => Err(Fault::ResetByPeer { remote: peer }),
        }
    }
}

impl Talk<'_> {
    /// Speaks first, and checks what the server says.
    pub(super) async fn tell(
        &self,
        conversation: Conversation,
        net: Option<&Net>,
        telling: &Telling,
    ) -> Result<Exit, Fault> {
        let endpoints = client::ends(&conversation, net);
        self.endpoints.set(endpoints);
        self.greet(&conversation, endpoints);
        let mut conversation = self.secured(conversation).await?;
        let happens = |what: Happens<'_>| match what {
            Happens::Writes(octets) => {
                self.text(true, octets);
                self.os_call(SocketCall::Send(octets.len() as u64));
            }
            Happens::Reads(octets) => {
                self.text(false, octets);
                self.os_call(SocketCall::Recv(octets.len() as u64));
            }
            Happens::Ends(first) => self.os_call(ends(first)),
            Happens::Says(told) => self.say(&Saying::Told(told)),
            // It is told as the fault with which the program ends.
            Happens::GoesWrong(_) => {}
        };
        let language = self.looks.language;
        let (went, done) = told::tell(&mut conversation, telling, Role::Client, "", language, happens).await;
        let end = end_of(&conversation, &went, &done).await;
        self.report(&went.tally, end, endpoints);
        match went.mistake {
            Some(mistake) => Err(Fault::Told(ToldWrong { remote: self.remote, mistake })),
            None if went.complete => Ok(Exit::Done),
            None => done.map_err(|error| self.failed(&error)).and_then(|()| self.judge(end)),
        }
    }
}
