//! A handshake told in text, over whatever carries a conversation: ours, or the system's sockets.
//!
//! The machine of `aperto-app` says what to write and when to come back; here are the socket and the
//! clock. What happens is told as it happens, each message before the segment that carries it.

use std::io;
use std::time::Duration;

use aperto_app::text::{Dialect, Mistake, Role, Settings, Verdict, Words};
use aperto_app::{Application, Ending, TextHandshake, Want};
use aperto_explain::Language;
use aperto_explain::program::told;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use aperto_tokio::Conversation;

use super::talk::Tally;
use crate::arguments::told::Telling;

/// What happens on the way.
pub(crate) enum Happens<'a> {
    /// The application writes.
    Writes(&'a [u8]),
    /// The application has read.
    Reads(&'a [u8]),
    /// One side closes.
    Ends(Ends),
    /// A line for whoever watches.
    Says(told::Told),
    /// The other side did something wrong, or said so of us; what follows is the end.
    GoesWrong(&'a Mistake),
}

/// Who closes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ends {
    /// We do, and go on hearing.
    WeFirst,
    /// We do, after the other side has.
    WeToo,
    /// The other side does.
    They,
}

/// How a conversation went.
pub(crate) struct Went {
    /// What was wrong, if anything was.
    pub(crate) mistake: Option<Mistake>,
    /// Whether everything was said.
    pub(crate) complete: bool,
    /// Whether the other side closed, too.
    pub(crate) peer_closed: bool,
    pub(crate) tally: Tally,
}

/// The words for the other side's mistakes.
const fn words(language: Language) -> Words {
    match language {
        Language::English => told::complaint_in_english,
        Language::Portuguese => told::complaint_in_portuguese,
    }
}

/// Plays one side until it is over. An error is one of the wire; what was said until then stands.
pub(crate) async fn tell(
    conversation: &mut Conversation,
    telling: &Telling,
    role: Role,
    label: &str,
    language: Language,
    mut happens: impl FnMut(Happens<'_>),
) -> (Went, io::Result<()>) {
    let firsts = telling.firsts();
    let first = if role == Role::Client { firsts.0 } else { firsts.1 };
    let (dialect, patience) = (telling.dialect, telling.patience);
    let machine = TextHandshake::new(Settings { dialect, role, first, patience, words: words(language) });
    let mut player = Player {
        machine,
        began: Instant::now(),
        role,
        dialect,
        label,
        tally: Tally::default(),
        peer_closed: false,
        closed: false,
        told_wrong: false,
    };
    let done = player.play(conversation, &mut happens).await;
    if done.is_err() {
        player.machine.ended(player.now(), Ending::Reset);
        player.report(&mut happens);
    }
    let (mistake, complete) = match player.machine.verdict() {
        Verdict::Wrong(mistake) => (Some(mistake.clone()), false),
        Verdict::Complete => (None, true),
        Verdict::Going => (None, false),
    };
    let (peer_closed, tally) = (player.peer_closed, player.tally);
    // After the last word nothing can go wrong any more: a peer may leave as it likes.
    let done = if complete || mistake.is_some() { Ok(()) } else { done };
    (Went { mistake, complete, peer_closed, tally }, done)
}

struct Player<'a> {
    machine: TextHandshake,
    began: Instant,
    role: Role,
    dialect: Dialect,
    label: &'a str,
    tally: Tally,
    peer_closed: bool,
    closed: bool,
    told_wrong: bool,
}

impl Player<'_> {
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    async fn play(
        &mut self,
        conversation: &mut Conversation,
        happens: &mut impl FnMut(Happens<'_>),
    ) -> io::Result<()> {
        self.machine.opened(self.now());
        let mut room = [0; 1 << 10];
        loop {
            if !self.do_what_it_wants(conversation, happens).await? || (self.closed && self.peer_closed) {
                return Ok(());
            }
            let appetite = self.machine.appetite(self.now()).min(room.len());
            let into = room.get_mut(..appetite).unwrap_or_default();
            let due = self.machine.poll_deadline().map(|at| self.began + at);
            tokio::select! {
                read = conversation.read(into), if appetite > 0 && !self.peer_closed => {
                    let read = into.get(..read?).unwrap_or_default();
                    if read.is_empty() {
                        self.peer_closed = true;
                        happens(Happens::Ends(Ends::They));
                        self.machine.peer_closed(self.now());
                    } else {
                        self.tally.read(read);
                        happens(Happens::Reads(read));
                        self.machine.readable(self.now(), read);
                    }
                }
                () = crate::command::server::until(due) => self.machine.deadline_passed(self.now()),
            }
            self.report(happens);
        }
    }

    /// Writes and closes; says whether the conversation goes on.
    async fn do_what_it_wants(
        &mut self,
        conversation: &mut Conversation,
        happens: &mut impl FnMut(Happens<'_>),
    ) -> io::Result<bool> {
        loop {
            match self.machine.poll_want(self.now()) {
                None => return Ok(true),
                Some(Want::Write(octets)) => {
                    let octets = octets.to_vec();
                    self.machine.wrote(octets.len());
                    self.report(happens);
                    happens(Happens::Writes(&octets));
                    conversation.write_all(&octets).await?;
                    conversation.flush().await?;
                    self.tally.sent += octets.len() as u64;
                }
                Some(Want::Close) => {
                    happens(Happens::Ends(if self.peer_closed { Ends::WeToo } else { Ends::WeFirst }));
                    self.closed = true;
                    conversation.shutdown().await?;
                }
                Some(Want::Abort | Want::Release) => return Ok(false),
            }
        }
    }

    fn report(&mut self, happens: &mut impl FnMut(Happens<'_>)) {
        while let Some(progress) = self.machine.poll_progress() {
            let other = if self.role == Role::Client { Role::Server } else { Role::Client };
            let by = if progress.sent { self.role } else { other };
            let (label, message) = (self.label.to_owned(), progress.message);
            happens(Happens::Says(told::Told::Message {
                label,
                sent: progress.sent,
                by,
                text: progress.text,
                message,
            }));
            let label = self.label.to_owned();
            if progress.place == self.dialect.opening() {
                let (own, other) = self.machine.firsts();
                let other = other.unwrap_or_default();
                let firsts = if self.role == Role::Client { [own, other] } else { [other, own] };
                let (dialect, messages) = (self.dialect, progress.place);
                happens(Happens::Says(told::Told::Complete { label, dialect, messages, firsts }));
            } else if progress.place == self.dialect.messages() {
                happens(Happens::Says(told::Told::Over { label, messages: progress.place }));
            }
        }
        if let (Verdict::Wrong(mistake), false) = (self.machine.verdict(), self.told_wrong) {
            happens(Happens::GoesWrong(mistake));
            self.told_wrong = true;
        }
    }
}
