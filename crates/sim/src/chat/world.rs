//! The clock of a chat's world: what happens next, happens; then everything that follows from it.

use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use aperto_host::{About, Host};
use aperto_tcp::Reason;
use aperto_time::Instant;

use super::node::Member;
use super::oracle::Oracle;
use super::plot::{Break, Plot};
use super::server::Server;
use super::{Broken, Counts, Listener};
use crate::channel::picks::{Counting, Picks};
use crate::channel::{Channel, Classifier, Direction, Framing, Hint};

/// How many things may happen in a run.
const MOST_STEPS: u64 = 400_000;

/// See the module's text.
pub(super) struct World<'a> {
    plot: &'a Plot,
    listener: Listener<'a>,
    now: Instant,
    server: Server,
    members: Vec<Member>,
    lines: Vec<Channel>,
    classifier: Classifier,
    oracle: Oracle,
    operator_said: usize,
    kills: usize,
    starts_at: Option<Instant>,
    calm: bool,
    steps: u64,
    buffer: Vec<u8>,
}

impl<'a> World<'a> {
    pub(super) fn new(plot: &'a Plot, listener: Listener<'a>) -> Self {
        Self {
            listener,
            now: Instant::ZERO,
            server: Server::new(plot),
            members: (0..plot.parts.len()).map(|place| Member::new(plot, place)).collect(),
            lines: plot.parts.iter().map(|part| Channel::new(part.channel.clone())).collect(),
            classifier: Classifier::new(Counting::FromOne),
            oracle: Oracle::new(plot.parts.len(), plot.repaired),
            operator_said: 0,
            kills: 0,
            starts_at: None,
            calm: false,
            steps: 0,
            buffer: vec![0; plot.mtu + 64],
            plot,
        }
    }

    pub(super) const fn now(&self) -> Instant {
        self.now
    }

    pub(super) const fn counted(&self) -> (Counts, u64) {
        (self.oracle.counts, self.oracle.hash())
    }

    /// Runs to the end.
    pub(super) fn run(&mut self) -> Result<(), Broken> {
        let trouble_ends = Instant::ZERO + self.plot.trouble;
        let end = trouble_ends + self.plot.patience;
        loop {
            let next = self.next_at();
            if !self.calm && next.is_none_or(|at| at > trouble_ends) {
                self.becomes_calm(trouble_ends);
                self.settle()?;
                continue;
            }
            if self.calm && self.is_at_rest() {
                return self.ends();
            }
            match next {
                Some(at) if at <= end => self.step(at)?,
                _ => return self.complain("I-21", format!("not at rest: {}", self.standing())),
            }
            self.steps += 1;
            if self.steps > MOST_STEPS {
                return self.complain("I-20", format!("more than {MOST_STEPS} steps: {}", self.standing()));
            }
        }
    }

    fn complain(&self, invariant: &'static str, what: alloc::string::String) -> Result<(), Broken> {
        Err(Broken { invariant, at: self.now, what })
    }

    fn standing(&self) -> alloc::string::String {
        let member = |member: &Member| {
            format!("{} unconfirmed, in: {}", member.client.unconfirmed(), member.client.is_in())
        };
        let members: Vec<_> = self.members.iter().map(member).collect();
        format!(
            "{members:?}, confirmed {:?}",
            self.server.room.as_ref().map(aperto_app::chat::Room::confirmed)
        )
    }

    /// The channels lose and damage nothing any more; nothing breaks.
    fn becomes_calm(&mut self, at: Instant) {
        self.calm = true;
        self.now = self.now.max(at);
        for line in &mut self.lines {
            let settings = line.settings_mut();
            settings.up = settings.up.calmed();
            settings.down = settings.down.calmed();
            settings.picks = Picks::new();
        }
    }

    /// Whether nothing is left to be said, confirmed or shown.
    fn is_at_rest(&self) -> bool {
        let Some(room) = &self.server.room else { return false };
        let rests = |(place, member): (usize, &Member)| {
            let said = self.plot.parts.get(place).is_none_or(|part| member.said >= part.says.len());
            let done = member.client.unconfirmed() == 0
                && member.client.is_in()
                && self.oracle.has_all(place, room.confirmed());
            member.leaving || (said && done)
        };
        self.server.rests()
            && self.operator_said >= self.plot.operator.len()
            && self.members.iter().enumerate().all(rests)
    }

    fn ends(&self) -> Result<(), Broken> {
        for (place, member) in self.members.iter().enumerate() {
            self.oracle.ends(self.now, place, !member.leaving)?;
        }
        self.compare_journal()
    }

    /// I-28: what is on the disk gives the state that there is.
    fn compare_journal(&self) -> Result<(), Broken> {
        let Some(room) = &self.server.room else { return Ok(()) };
        match self.server.copy(self.plot) {
            Some(copy) if copy.fingerprint() == room.fingerprint() => Ok(()),
            Some(_) => self.complain("I-28", "the journal gives another state".to_string()),
            None => self.complain("I-28", "the journal cannot be read".to_string()),
        }
    }

    /// When the next thing happens.
    fn next_at(&mut self) -> Option<Instant> {
        let mut next = self.lines.iter().filter_map(Channel::poll_deadline).min();
        let mut earlier = |at: Option<Instant>| next = [next, at].into_iter().flatten().min();
        for member in &mut self.members {
            earlier(member.deadline());
        }
        earlier(self.server.deadline());
        earlier(self.planned_at());
        next.map(|at| at.max(self.now))
    }

    /// When the plan has something.
    fn planned_at(&self) -> Option<Instant> {
        let mut all: Vec<Option<Duration>> = Vec::new();
        for (member, part) in self.members.iter().zip(&self.plot.parts) {
            if !member.came {
                all.push(Some(part.comes));
                continue;
            }
            if !member.leaving {
                all.push(part.says.get(member.said).map(|(at, _)| *at));
                all.push(part.leaves);
            }
            if !self.calm {
                all.push(part.breaks.get(member.broken).map(|(at, _)| *at));
            }
        }
        if self.server.room.is_some() {
            all.push(self.plot.operator.get(self.operator_said).map(|(at, _)| *at));
            if !self.calm {
                all.push(self.plot.kills.get(self.kills).map(|kill| kill.at));
            }
        }
        let planned = all.into_iter().flatten().map(|at| Instant::ZERO + at);
        planned.chain(self.starts_at).min()
    }

    /// Lets happen what is due now.
    fn step(&mut self, at: Instant) -> Result<(), Broken> {
        self.now = at;
        self.deliver();
        self.plan()?;
        for member in &mut self.members {
            if member.deadline().is_some_and(|due| due <= at) {
                member.host.deadline_passed(at);
                if member.came {
                    member.client.deadline_passed(at.since(Instant::ZERO));
                }
            }
        }
        if self.server.deadline().is_some_and(|due| due <= at) {
            self.server.time_passes(at);
        }
        self.settle()
    }

    /// Frames arrive.
    fn deliver(&mut self) {
        for (place, line) in self.lines.iter_mut().enumerate() {
            while let Some(delivery) = line.poll_delivery(self.now) {
                let host = match delivery.direction {
                    Direction::Up if self.server.is_off => continue,
                    Direction::Up => &mut self.server.host,
                    Direction::Down => match self.members.get_mut(place) {
                        Some(member) => &mut member.host,
                        None => continue,
                    },
                };
                let interface = if delivery.direction == Direction::Up { place } else { 0 };
                let id = host.interfaces().nth(interface).map(|(id, _)| id);
                if let Some(id) = id {
                    host.frame_arrives(self.now, id, &delivery.octets);
                }
            }
        }
    }

    /// What the plan has for now.
    fn plan(&mut self) -> Result<(), Broken> {
        let elapsed = self.now.since(Instant::ZERO);
        for place in 0..self.members.len() {
            self.plan_member(place, elapsed);
        }
        if self.starts_at.is_some_and(|at| at <= self.now) {
            self.starts_at = None;
            match self.server.starts(self.plot) {
                Ok(torn) => self.oracle.counts.torn += u64::from(torn),
                Err(error) => return self.complain("I-28", error.to_string()),
            }
            (self.listener)(self.now, "server", "starts again");
            if let Some(room) = &self.server.room {
                self.oracle.restarted(self.now, room)?;
            }
        }
        while let Some((_, text)) =
            self.plot.operator.get(self.operator_said).filter(|(at, _)| *at <= elapsed)
        {
            let Some(room) = &mut self.server.room else { break };
            self.operator_said += 1;
            if room.say(elapsed, text).is_ok() {
                self.oracle.operator_says(text);
            }
        }
        let due = self.plot.kills.get(self.kills).filter(|kill| kill.at <= elapsed && !self.calm);
        if let (Some(kill), true) = (due, self.server.room.is_some()) {
            self.kills += 1;
            self.server.killed(self.plot, kill);
            self.starts_at = Some(self.now + kill.away);
            (self.listener)(self.now, "server", &format!("is killed: {kill:?}"));
        }
        Ok(())
    }

    fn plan_member(&mut self, place: usize, elapsed: Duration) {
        let (Some(member), Some(part)) = (self.members.get_mut(place), self.plot.parts.get(place)) else {
            return;
        };
        member.came |= part.comes <= elapsed;
        if !member.came {
            return;
        }
        while let Some((_, text)) =
            part.says.get(member.said).filter(|(at, _)| *at <= elapsed && !member.leaving)
        {
            member.said += 1;
            match member.client.say(elapsed, text) {
                Ok(id) => {
                    self.oracle.said(place, id, text);
                    (self.listener)(self.now, &part.name, &format!("says {id}: {text:.40}"));
                }
                // It is told so; nobody was promised anything.
                Err(why) => (self.listener)(self.now, &part.name, &format!("cannot say: {why:?}")),
            }
        }
        if part.leaves.is_some_and(|at| at <= elapsed) && !member.leaving {
            member.leaving = true;
            member.client.leave(elapsed);
            (self.listener)(self.now, &part.name, "leaves");
        }
        while let Some((_, how)) =
            part.breaks.get(member.broken).filter(|(at, _)| *at <= elapsed && !self.calm)
        {
            member.broken += 1;
            (self.listener)(self.now, &part.name, &format!("connection breaks: {how:?}"));
            match how {
                Break::Reset => member.resets(self.now),
                Break::Forget => member.forgets(self.plot, self.now),
            }
        }
    }

    /// Everything that follows at this instant.
    fn settle(&mut self) -> Result<(), Broken> {
        loop {
            let mut moved = self.server.acts(self.plot, self.now);
            while let Some(event) = self.server.room.as_mut().and_then(aperto_app::chat::Room::poll_event) {
                (self.listener)(self.now, "server", &format!("{event:.60?}"));
                self.oracle.room(self.now, &event)?;
            }
            for place in 0..self.members.len() {
                let Some(member) = self.members.get_mut(place) else { continue };
                moved |= member.acts(self.now);
                while let Some(event) = member.client.poll_event() {
                    let name = self.plot.parts.get(place).map_or("", |part| &part.name);
                    (self.listener)(self.now, name, &format!("{event:.60?}"));
                    self.oracle.member(self.now, place, &event)?;
                }
                member.forget_others(self.now);
            }
            self.send();
            if !moved {
                return Ok(());
            }
        }
    }

    /// What hosts have to send enters the lines.
    fn send(&mut self) {
        let (now, classifier, buffer) = (self.now, &mut self.classifier, &mut self.buffer);
        let mut frames = 0;
        if self.server.is_off {
            // Nobody is there to send anything.
            while self.server.host.poll_frame(now, buffer).is_some() {}
        }
        let mut leave = |host: &mut Host, lines: &mut [Channel], only: Option<usize>, direction| {
            while let Some(departure) = host.poll_frame(now, buffer) {
                let Some(frame) = buffer.get(..departure.length) else { continue };
                let hint = match departure.about {
                    About::Tcp { reason: Reason::WindowProbe { .. }, .. } => Hint::Probe,
                    _ => Hint::None,
                };
                let place = only.unwrap_or_else(|| departure.interface.index());
                let Some(line) = lines.get_mut(place) else { continue };
                let meta = classifier.frame_departs(Framing::Ip, direction, frame, hint);
                line.frame_arrives(now, direction, &meta, frame);
                while line.poll_fact().is_some() {}
                frames += 1;
            }
        };
        leave(&mut self.server.host, &mut self.lines, None, Direction::Down);
        for (place, member) in self.members.iter_mut().enumerate() {
            leave(&mut member.host, &mut self.lines, Some(place), Direction::Up);
        }
        self.oracle.counts.frames += frames;
    }
}
