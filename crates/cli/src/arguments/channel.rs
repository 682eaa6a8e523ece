//! The channel's flags as impairments and picks.
//!
//! A preset first, then the single flags; `up:` and `down:` mean one direction; commas separate.
//! `--delay`, `--dup` and `--corrupt` take a share (or a time) of luck, or name a segment.

use std::time::Duration;

use aperto_explain::program::{BadPick, BadQuantity, Fault, Quantity};
use aperto_sim::channel::picks::{Action, PickFault, Picks};
use aperto_sim::channel::{Corruption, Direction, Impairments, Preset};
use aperto_sim::quantity::{
    Probability, Quantity as SimQuantity, QuantityError, QuantityFault, Rate, parse_duration,
    parse_probability, parse_rate,
};
use clap::ArgMatches;

use super::read::number;

/// What the user asked of the channel.
#[derive(Clone, Debug)]
pub(crate) struct Channel {
    preset: Option<Preset>,
    changes: Vec<(Option<Direction>, Change)>,
    /// What happens to single segments.
    pub(crate) picks: Picks,
    /// What luck is drawn from.
    pub(crate) seed: u64,
    /// The first flag that was given, if any was.
    pub(crate) first_flag: Option<&'static str>,
}

/// One flag's change.
#[derive(Clone, Copy, Debug)]
enum Change {
    Delay(Duration),
    Jitter(Duration),
    Loss(Probability),
    Duplication(Probability),
    Reordering(Probability),
    Corruption(Probability),
    Rate(Rate),
    Queue(usize),
    FixChecksum,
}

impl Change {
    fn apply(self, to: &mut Impairments) {
        match self {
            Self::Delay(delay) => to.delay = delay,
            Self::Jitter(jitter) => to.jitter = jitter,
            Self::Loss(share) => to.loss = share,
            Self::Duplication(share) => to.duplication = share,
            Self::Reordering(share) => to.reordering = share,
            Self::Corruption(share) => to.corruption = share,
            Self::Rate(rate) => to.rate = Some(rate),
            Self::Queue(packets) => to.queue = packets,
            Self::FixChecksum => to.checksum = Corruption::RepairsChecksum,
        }
    }
}

/// All flags of the channel, in the order of the help.
pub(crate) const FLAGS: [&str; 11] = [
    "channel",
    "delay",
    "jitter",
    "loss",
    "dup",
    "reorder",
    "corrupt",
    "fix-checksum",
    "rate",
    "queue",
    "drop",
];

/// Reads them all.
pub(crate) fn read(matches: &ArgMatches) -> Result<Channel, Fault> {
    let preset = matches.get_one::<String>("channel").and_then(|name| Preset::from_name(name));
    let (changes, first_flag) = (Vec::new(), first_flag(matches));
    let mut channel = Channel { preset, changes, picks: Picks::new(), seed: 1, first_flag };
    if let Some(seed) = matches.get_one::<String>("seed") {
        channel.seed = number("--seed", seed, 0, u64::MAX)?;
    }
    for item in items(matches, "drop") {
        channel.pick("--drop", Action::Drop, item)?;
    }
    for item in items(matches, "delay") {
        if Picks::looks_like_picks(item) && !is_bare_number(item) {
            let picks = Picks::parse_delays(item).map_err(|error| bad_pick("--delay", item, &error.what))?;
            channel.picks.extend(&picks);
        } else {
            channel.duration("--delay", item, Change::Delay)?;
        }
    }
    for item in items(matches, "jitter") {
        channel.duration("--jitter", item, Change::Jitter)?;
    }
    for item in items(matches, "loss") {
        channel.share("--loss", item, Change::Loss)?;
    }
    for item in items(matches, "reorder") {
        channel.share("--reorder", item, Change::Reordering)?;
    }
    for item in items(matches, "dup") {
        channel.pick_or_share("--dup", Action::Duplicate, item, Change::Duplication)?;
    }
    for item in items(matches, "corrupt") {
        channel.pick_or_share("--corrupt", Action::Corrupt, item, Change::Corruption)?;
    }
    for item in items(matches, "rate") {
        let (direction, text) = direction(item);
        let rate = parse_rate(text).map_err(|error| bad_quantity("--rate", item, error))?;
        channel.changes.push((direction, Change::Rate(rate)));
    }
    for item in items(matches, "queue") {
        let (direction, text) = direction(item);
        let packets = number("--queue", text, 1, 1_000_000)?;
        channel.changes.push((direction, Change::Queue(usize::try_from(packets).unwrap_or(usize::MAX))));
    }
    if matches.get_flag("fix-checksum") {
        channel.changes.push((None, Change::FixChecksum));
    }
    Ok(channel)
}

impl Channel {
    /// What it does to packets from client to server, and back, where it would otherwise do this.
    pub(crate) fn impairments(&self, otherwise: (Impairments, Impairments)) -> (Impairments, Impairments) {
        let (mut up, mut down) = self.preset.map_or(otherwise, Preset::impairments);
        for (direction, change) in &self.changes {
            if *direction != Some(Direction::Down) {
                change.apply(&mut up);
            }
            if *direction != Some(Direction::Up) {
                change.apply(&mut down);
            }
        }
        (up, down)
    }

    fn pick(&mut self, flag: &str, action: Action, item: &str) -> Result<(), Fault> {
        let picks = Picks::parse(action, item).map_err(|error| bad_pick(flag, item, &error.what))?;
        self.picks.extend(&picks);
        Ok(())
    }

    fn pick_or_share(
        &mut self,
        flag: &str,
        action: Action,
        item: &str,
        change: impl Fn(Probability) -> Change,
    ) -> Result<(), Fault> {
        if Picks::looks_like_picks(item) {
            self.pick(flag, action, item)
        } else {
            self.share(flag, item, change)
        }
    }

    fn share(&mut self, flag: &str, item: &str, change: impl Fn(Probability) -> Change) -> Result<(), Fault> {
        let (direction, text) = direction(item);
        let share = parse_probability(text).map_err(|error| bad_quantity(flag, item, error))?;
        self.changes.push((direction, change(share)));
        Ok(())
    }

    fn duration(&mut self, flag: &str, item: &str, change: impl Fn(Duration) -> Change) -> Result<(), Fault> {
        let (direction, text) = direction(item);
        let duration = parse_duration(text).map_err(|error| bad_quantity(flag, item, error))?;
        self.changes.push((direction, change(duration)));
        Ok(())
    }
}

/// The values of a flag, cut at commas.
fn items<'a>(matches: &'a ArgMatches, flag: &str) -> impl Iterator<Item = &'a str> {
    matches.get_many::<String>(flag).into_iter().flatten().flat_map(|value| value.split(','))
}

/// `20` behind `--delay` lacks its unit, and is not the segment numbered 20 without its time.
fn is_bare_number(item: &str) -> bool {
    let text = direction(item).1;
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit())
}

fn direction(item: &str) -> (Option<Direction>, &str) {
    for direction in Direction::ALL {
        if let Some(rest) = item.strip_prefix(direction.name()).and_then(|rest| rest.strip_prefix(':')) {
            return (Some(direction), rest);
        }
    }
    (None, item)
}

fn first_flag(matches: &ArgMatches) -> Option<&'static str> {
    FLAGS.into_iter().find(|flag| matches.value_source(flag) == Some(clap::parser::ValueSource::CommandLine))
}

/// A quantity that is none, as a fault.
pub(crate) fn bad_quantity(flag: &str, value: &str, error: QuantityError) -> Fault {
    let quantity = match error.quantity {
        SimQuantity::Duration => Quantity::Duration,
        SimQuantity::Rate => Quantity::Rate,
        SimQuantity::Probability => Quantity::Share,
        SimQuantity::Size => Quantity::Size,
    };
    let why = match error.what {
        QuantityFault::Empty | QuantityFault::NotANumber => BadQuantity::NotANumber,
        QuantityFault::Negative => BadQuantity::Negative,
        QuantityFault::MissingUnit => BadQuantity::NoUnit,
        QuantityFault::UnknownUnit => BadQuantity::UnknownUnit,
        QuantityFault::TooFine => BadQuantity::TooFine,
        QuantityFault::TooLarge => BadQuantity::TooLarge,
        QuantityFault::Zero => BadQuantity::Zero,
    };
    Fault::BadQuantity { flag: flag.into(), value: value.into(), quantity, why }
}

fn bad_pick(flag: &str, value: &str, fault: &PickFault) -> Fault {
    let why = match fault {
        PickFault::Empty | PickFault::UnknownKind => BadPick::UnknownKind,
        PickFault::NotANumber | PickFault::TooLarge => BadPick::NotANumber,
        PickFault::NumberZero => BadPick::Zero,
        PickFault::Backwards { .. } => BadPick::Backwards,
        PickFault::MissingDelay => BadPick::NoTime,
        PickFault::UnexpectedDelay => BadPick::ATime,
        PickFault::Delay(error) => return bad_quantity(flag, value, *error),
    };
    Fault::BadPick { flag: flag.into(), value: value.into(), why }
}
