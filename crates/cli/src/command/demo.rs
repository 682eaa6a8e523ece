//! `aperto` and `aperto demo`: simulated runs.

use aperto_app::echo::Voice;
use aperto_app::hello::{Acknowledgement, Integrity};
use aperto_app::script::Step;
use aperto_app::{Echo, Machine, Script};
use aperto_explain::Summary;
use aperto_explain::program::{Exit, Fault, NoEffect, ports};
use aperto_sim::channel::picks::Picks;
use aperto_sim::recipe::{Isn, Protocol, Recipe, RecipeError, Sealing, Side};
use aperto_sim::scenes::{self, Scene};
use aperto_sim::world::{Ended, World};
use aperto_trace::{Call, Fact, Trace};
use aperto_wire::SeqNumber;

use super::present;
use crate::arguments::modes::Modes;
use crate::arguments::read::{self, Demo, ServerClose};
use crate::arguments::recipe;
use crate::looks::{Looks, View};
use crate::output::Output;

/// What the demonstration proposes to do next.
const NEXT: &str = "aperto --drop 4";

/// What a protocol without a scene of its own says, where the user says nothing.
pub(crate) const fn usual_message(looks: &Looks) -> &'static str {
    looks.say("reliable transport of data", "transporte confiável de dados")
}

/// Runs it and shows what happened.
pub(crate) fn run(job: &Demo, looks: &Looks) -> Result<Exit, Fault> {
    let Simulated { scene, recipe, mut trace } = simulate(job, looks)?;
    trace.header.tag.clone_from(&job.record.tag);
    let quiet_channel = job.channel.first_flag.is_none() && job.scene.is_none();
    let page = present::Page {
        next: (quiet_channel && job.protocol == Protocol::Tcp && job.message.is_none())
            .then(|| NEXT.to_owned()),
        repeat: Some(job.repeat_with_seed.clone()),
        draw: present::Draw::of(job.scene.is_none(), &recipe),
        missing: missing(&trace, scene),
        remark: scene.and_then(|scene| remark(scene, looks)),
        broken: None,
    };
    let table = if scene == Some(Scene::Ports) { four_tuples(&trace) } else { Vec::new() };
    let exit = present::finished(trace, page, &job.record, looks)?;
    if !table.is_empty() && looks.view() != View::Json && job.record.file.as_deref() != Some("-") {
        let mut output = Output::new(looks);
        output.line("");
        for line in ports::table(looks.language, &table) {
            output.line(&line);
        }
        output.finish();
    }
    Ok(exit)
}

/// The connections as their server sees them at the end.
fn four_tuples(trace: &Trace) -> Vec<ports::FourTuple> {
    let row = |flow: &aperto_trace::Flow| {
        let mine = trace
            .records()
            .iter()
            .filter(|record| record.flow == Some(flow.id) && record.vantage.host_id() == flow.server);
        let (mut state, mut received, mut sent) = (aperto_tcp::State::Listen, 0, 0);
        for record in mine {
            match &record.fact {
                Fact::State { to, .. } => state = *to,
                Fact::Delivered { length, .. } => received += u64::from(*length),
                Fact::Call(Call::Send { length, .. }) => sent += u64::from(*length),
                _ => {}
            }
        }
        let (local, remote) = (flow.endpoints.destination, flow.endpoints.source);
        ports::FourTuple {
            label: flow.id.to_string(),
            local,
            remote,
            state: state.name().into(),
            received,
            sent,
        }
    };
    trace.flows().map(row).collect()
}

/// A run that is over.
pub(crate) struct Simulated {
    scene: Option<Scene>,
    recipe: Recipe,
    /// What happened.
    pub(crate) trace: Trace,
}

/// Lets it happen.
pub(crate) fn simulate(job: &Demo, looks: &Looks) -> Result<Simulated, Fault> {
    // The command line has refused every other name.
    let scene = job.scene.as_deref().and_then(Scene::from_name);
    let recipe = cook(job, scene, looks)?;
    let mut world = World::new(&recipe).map_err(|error| refused(&error))?;
    let ended = world.run();
    let mut trace = world.into_trace();
    trace.header.command.clone_from(&job.repeat_with_seed);
    // What is said where nobody says it depends on the language: a recording holds it.
    let unsaid = scene.is_none() && job.message.is_none() && job.protocol != Protocol::Tcp;
    let besides: &[(&str, &str)] = if unsaid { &[("-m", usual_message(looks))] } else { &[] };
    trace.header.recipe = Some(recipe::write(&job.repeat_with_seed, besides));
    if matches!(ended, Ended::TooMuch | Ended::Stuck) {
        return Err(Fault::Endless { packets: packets(&trace) });
    }
    Ok(Simulated { scene, recipe, trace })
}

/// How many of the segments told a handshake in text.
fn remark(scene: Scene, looks: &Looks) -> Option<String> {
    let text = match scene {
        Scene::TextHandshake => looks.say("7 messages told in text", "7 mensagens contadas em texto"),
        Scene::TextThreeWay => looks.say("3 messages told in text", "3 mensagens contadas em texto"),
        _ => return None,
    };
    Some(text.to_owned())
}

/// What `aperto demo` alone says: the scenes, one a line.
pub(crate) fn list(looks: &Looks) -> Exit {
    let mut output = Output::new(looks);
    for scene in Scene::ALL {
        output.line(&format!("{:<18} {}", scene.name(), about(scene, looks)));
    }
    output.line("");
    output.line(looks.say("show one:  aperto demo handshake", "mostre uma:  aperto demo handshake"));
    output.finish();
    Exit::Done
}

fn about(scene: Scene, looks: &Looks) -> &'static str {
    match scene {
        Scene::Handshake => {
            looks.say("three segments and a connection is open", "três segmentos e a conexão está aberta")
        }
        Scene::Data => looks
            .say("two texts, acknowledged alone and late", "dois textos, reconhecidos sozinhos e com atraso"),
        Scene::Loss => looks
            .say("one segment is lost; the timer saves it", "um segmento se perde; o temporizador o salva"),
        Scene::Dupack => looks.say(
            "three duplicate ACKs bring one back at once",
            "três ACKs repetidos o trazem de volta na hora",
        ),
        Scene::Reorder => looks.say("late is not lost (--by N)", "atrasado não é perdido (--by N)"),
        Scene::ZeroWindow => {
            looks.say("the receiver does not read; the sender probes", "o receptor não lê; o emissor sonda")
        }
        Scene::Teardown => looks.say(
            "four segments to close, or three (--server-close 0ms|30ms|same)",
            "quatro segmentos para fechar, ou três (--server-close 0ms|30ms|same)",
        ),
        Scene::HalfClose => {
            looks.say("one side has said all, the other has not", "um lado já disse tudo, o outro não")
        }
        Scene::SimultaneousOpen => {
            looks.say("both open at once; the SYNs cross", "os dois abrem ao mesmo tempo; os SYNs se cruzam")
        }
        Scene::Refuse => looks.say("nobody listens: RST", "ninguém escuta: RST"),
        Scene::Reset => looks.say("one side gives up in the middle", "um lado desiste no meio"),
        Scene::Blackhole => looks.say("nothing arrives, nothing refuses", "nada chega, nada recusa"),
        Scene::SynRetry => looks.say("the first two SYNs are lost", "os dois primeiros SYNs se perdem"),
        Scene::Nagle => looks.say("small writes wait (--nodelay)", "escritas pequenas esperam (--nodelay)"),
        Scene::TimeWait => {
            looks.say("why the one who closes first stays", "por que quem fecha primeiro fica")
        }
        Scene::Bulk => looks.say("as much as you like (--size 20k)", "quanto você quiser (--size 20k)"),
        Scene::Ports => looks.say(
            "several clients, one server port (--clients N)",
            "vários clientes, uma porta do servidor (--clients N)",
        ),
        Scene::TextHandshake => looks.say(
            "SYN:2389 and its answers, as text in segments that are no SYN",
            "SYN:2389 e as respostas, como texto em segmentos que não são SYN",
        ),
        Scene::TextThreeWay => looks.say(
            "three messages told in text, and the real handshake before them",
            "três mensagens contadas em texto, e antes o handshake de verdade",
        ),
    }
}

/// The recipe that the flags ask for.
fn cook(job: &Demo, scene: Option<Scene>, looks: &Looks) -> Result<Recipe, Fault> {
    check_effects(job, scene)?;
    let mut recipe = match scene {
        None => bare(job, looks)?,
        Some(scene) => of_scene(job, scene),
    };
    recipe.seed = job.channel.seed;
    (recipe.up, recipe.down) = job.channel.impairments((recipe.up.clone(), recipe.down.clone()));
    let mut picks = Picks::new();
    picks.extend(&recipe.picks);
    picks.extend(&job.channel.picks);
    recipe.picks = picks;
    match job.tcp.isn {
        Some(read::Isn::Fixed(client, server)) => {
            recipe.isn = Isn::Fixed { client: SeqNumber::new(client), server: SeqNumber::new(server) };
        }
        Some(read::Isn::Random) => recipe.isn = Isn::FromSeed,
        None => {}
    }
    for side in recipe.clients.iter_mut().chain([&mut recipe.server]) {
        tune(side, job);
    }
    if job.sealed {
        recipe.sealing = Sealing::Aead;
    }
    Ok(recipe)
}

fn tune(side: &mut Side, job: &Demo) {
    if let Some(mss) = job.tcp.mss {
        // IPv4 and TCP headers, 20 octets each.
        side.mtu = usize::from(mss) + 40;
    }
    if let Some(window) = job.tcp.window.filter(|_| job.protocol == Protocol::Tcp) {
        side.tcp.receive_buffer = usize::try_from(window).unwrap_or(usize::MAX);
        side.tcp.initial_receive_window = side.tcp.initial_receive_window.min(window);
    }
    if job.tcp.nodelay {
        side.tcp.nagle = false;
    }
}

/// The bare command: a conversation, over whatever protocol.
fn bare(job: &Demo, looks: &Looks) -> Result<Recipe, Fault> {
    if job.protocol == Protocol::Tcp {
        return Ok(match &job.message {
            None => scenes::demonstration(),
            Some(text) => scenes::conversation(text),
        });
    }
    let mut recipe = Recipe::new(job.protocol);
    let message = job.message.clone().unwrap_or_else(|| usual_message(looks).into());
    recipe.message = message.into_bytes();
    recipe.textbook.payload_octets = small(job.payload.unwrap_or(4));
    if let Some(window) = job.tcp.window {
        if job.protocol == Protocol::StopAndWait || job.protocol == Protocol::Udp {
            return Err(no_effect("--window", NoEffect::OnlyTextbook));
        }
        recipe.textbook.window_packets = small(window);
    }
    acknowledge(&mut recipe.textbook, job.modes);
    recipe.longest_message = job.modes.max;
    Ok(recipe)
}

/// What both ends of a textbook protocol are told about acknowledgements and damage.
pub(super) fn acknowledge(config: &mut aperto_arq::Config, modes: Modes) {
    use aperto_arq::{Acknowledgements, Checksum, Group, NegativeAcknowledgements};
    if modes.acknowledgement == Some(Acknowledgement::Group) {
        config.acknowledgements = Acknowledgements::Group(Group::Window);
    }
    if modes.negative {
        config.negative_acknowledgements = NegativeAcknowledgements::On;
    }
    if modes.integrity == Some(Integrity::Crc32) {
        config.checksum = Checksum::Crc32;
    }
}

fn of_scene(job: &Demo, scene: Scene) -> Recipe {
    let octets = job.size.unwrap_or(scenes::BULK_OCTETS);
    let mut recipe = match scene {
        Scene::Bulk => scenes::bulk(octets),
        Scene::Dupack => scenes::dupack(octets),
        Scene::Reorder => scenes::reorder(octets),
        Scene::Ports => scenes::ports(job.clients.unwrap_or(3)),
        other => other.recipe(),
    };
    if let Some(by) = job.by {
        // A full segment takes 1 ms there, so N and a half ms let N of them overtake.
        let late = format!("data:3={}us", u64::from(by) * 1_000 + 500);
        recipe.picks = Picks::parse_delays(&late).unwrap_or_default();
    }
    match job.server_close {
        None => {}
        Some(ServerClose::After(after)) => {
            recipe.server.services.clear();
            recipe.server = recipe.server.offering(Machine::Echo(Echo::new(Voice::Upper, after)));
        }
        Some(ServerClose::Same) => {
            // The client closes 60 ms after it is open; the server is open one way later.
            let wait = std::time::Duration::from_millis(60).saturating_sub(recipe.up.delay);
            let steps = vec![Step::Wait(wait), Step::Close];
            recipe.server.services.clear();
            recipe.server = recipe.server.offering(Machine::Script(Script::new(steps)));
        }
    }
    recipe
}

/// Refuses flags that would do nothing.
fn check_effects(job: &Demo, scene: Option<Scene>) -> Result<(), Fault> {
    let of_one = |given: bool, flag, only: Scene| {
        if given && scene != Some(only) {
            return Err(no_effect(flag, NoEffect::OnlyScene(only.name())));
        }
        Ok(())
    };
    let sized = matches!(scene, Some(Scene::Bulk | Scene::Dupack | Scene::Reorder));
    if job.size.is_some() && !sized {
        return Err(no_effect("--size", NoEffect::OnlyScene(Scene::Bulk.name())));
    }
    of_one(job.by.is_some(), "--by", Scene::Reorder)?;
    of_one(job.server_close.is_some(), "--server-close", Scene::Teardown)?;
    of_one(job.clients.is_some(), "--clients", Scene::Ports)?;
    if scene.is_some() && job.protocol != Protocol::Tcp {
        return Err(no_effect("--proto", NoEffect::OnlyBare));
    }
    if scene.is_some() && job.message.is_some() {
        return Err(no_effect("-m", NoEffect::OnlyBare));
    }
    if job.payload.is_some() && job.protocol == Protocol::Tcp {
        return Err(no_effect("--payload", NoEffect::OnlyTextbook));
    }
    if job.protocol != Protocol::Tcp {
        let tcp_only = [
            (job.tcp.isn.is_some(), "--isn"),
            (job.tcp.mss.is_some(), "--mss"),
            (job.tcp.nodelay, "--nodelay"),
        ];
        if let Some((_, flag)) = tcp_only.into_iter().find(|(given, _)| *given) {
            return Err(no_effect(flag, NoEffect::OnlyTcp));
        }
    }
    Ok(())
}

fn no_effect(flag: &str, because: NoEffect) -> Fault {
    Fault::NoEffect { flag: flag.into(), because }
}

/// A recipe that cannot be run, as a fault.
pub(crate) fn refused(error: &RecipeError) -> Fault {
    match error {
        RecipeError::PickCountsFromOne(pick) => Fault::BadPick {
            flag: pick.action.flag().into(),
            value: pick.to_string(),
            why: aperto_explain::program::BadPick::Zero,
        },
        other => Fault::System { what: other.to_string() },
    }
}

/// What was sent and never arrived, where a scene does not mean it so.
fn missing(trace: &Trace, scene: Option<Scene>) -> Option<(u64, u64)> {
    if matches!(scene, Some(Scene::Refuse | Scene::Reset | Scene::Blackhole)) {
        return None;
    }
    let (delivered, sent) = present::delivery(trace);
    // What an application never came to say is missing, too: its connection did not open.
    let broke_off = Summary::of(trace, None).ended.is_some_and(|end| end != aperto_tcp::End::Closed);
    (delivered < sent || broke_off).then_some((delivered, sent))
}

fn packets(trace: &Trace) -> u64 {
    trace.records().iter().filter(|record| matches!(record.fact, Fact::Left(_))).count() as u64
}

fn small(number: u32) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}
