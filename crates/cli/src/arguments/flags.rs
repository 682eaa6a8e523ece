//! The flags, in groups that several commands share, each with its help in both languages.
//!
//! The same letter means the same everywhere. Each group is read by one place of `read.rs`, and a
//! command has a group only if it does something there.

use aperto_explain::Language;
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction};

/// The one of two texts that is in the language.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Say(pub(crate) Language);

impl Say {
    pub(crate) const fn one(self, english: &'static str, portuguese: &'static str) -> &'static str {
        match self.0 {
            Language::English => english,
            Language::Portuguese => portuguese,
        }
    }
}

/// `--name VALUE`.
pub(super) fn value(name: &'static str, shown: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(shown).help(help).allow_hyphen_values(true).action(ArgAction::Set)
}

/// `--name VALUE`, as often as one likes; commas inside a value separate, too.
fn values(name: &'static str, shown: &'static str, help: &'static str) -> Arg {
    value(name, shown, help).action(ArgAction::Append)
}

/// `--name one|two`.
pub(crate) fn choice(
    name: &'static str,
    choices: &'static [&'static str],
    shown: &'static str,
    help: &'static str,
) -> Arg {
    value(name, shown, help)
        .allow_hyphen_values(false)
        .value_parser(PossibleValuesParser::new(choices))
        .hide_possible_values(true)
}

/// `--name`.
pub(super) fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).help(help).action(ArgAction::SetTrue)
}

/// The languages as they can be asked for.
pub(crate) const LANGUAGES: [&str; 4] = ["en", "pt-BR", "pt", "pt_BR"];
/// The views.
pub(crate) const VIEWS: [&str; 4] = ["ladder", "lines", "json", "none"];
/// How numbers are told.
pub(crate) const NUMBERS: [&str; 3] = ["rel", "abs", "both"];
/// How times are told.
pub(crate) const TIMES: [&str; 4] = ["ms", "s", "rtt", "clock"];
/// How much is said of reasons.
pub(crate) const REASONS: [&str; 3] = ["full", "short", "none"];
/// When to use colour.
pub(crate) const COLORS: [&str; 3] = ["auto", "always", "never"];
/// The protocols of simulated runs.
pub(crate) const PROTOCOLS: [&str; 5] = ["tcp", "udp", "saw", "gbn", "sr"];
/// The channels with a name.
pub(crate) const CHANNELS: [&str; 6] = ["perfect", "lan", "wifi", "4g", "satellite", "awful"];

/// What every command has.
pub(crate) fn everywhere(say: Say) -> Vec<Arg> {
    let heading = say.one("Program", "Programa");
    [
        choice(
            "lang",
            &LANGUAGES,
            "en|pt-BR",
            say.one("language of what is printed", "língua do que é impresso"),
        ),
        choice("color", &COLORS, "auto|always|never", say.one("when to use colour", "quando usar cores")),
        switch("quiet", say.one("results only, no hints", "só resultados, sem dicas")).short('q'),
        Arg::new("help")
            .long("help")
            .short('h')
            .action(ArgAction::Help)
            .help(say.one("show this", "mostra isto")),
    ]
    .into_iter()
    .map(|arg| arg.help_heading(heading))
    .collect()
}

/// How to show what happens.
pub(crate) fn view(say: Say) -> Vec<Arg> {
    let mut all = live_view(say);
    let drawing = [
        value("width", "N", say.one("columns to draw in", "colunas do desenho")),
        switch("all", say.one("fold nothing, leave nothing out", "não dobra nem omite nada")),
        choice(
            "split",
            &["auto", "always", "never"],
            "auto|always|never",
            say.one("draw departure and arrival apart", "desenha saída e chegada separadas"),
        ),
        switch("no-pager", say.one("never page", "nunca pagina")),
    ];
    all.extend(drawing.into_iter().map(|arg| arg.help_heading(say.one("See", "Ver"))));
    all
}

/// How to show what happens while it happens: no drawing, so less to say.
pub(crate) fn live_view(say: Say) -> Vec<Arg> {
    let heading = say.one("See", "Ver");
    [
        choice("view", &VIEWS, "ladder|lines|json|none", say.one("how to show it", "como mostrar")),
        choice(
            "seq",
            &NUMBERS,
            "rel|abs|both",
            say.one(
                "numbers from 0, as on the wire, or both",
                "números a partir de 0, como no fio, ou ambos",
            ),
        ),
        choice("time", &TIMES, "ms|s|rtt|clock", say.one("unit of time", "unidade de tempo")),
        choice("why", &REASONS, "full|short|none", say.one("how much reason", "quanto explicar")),
        switch("ascii", say.one("ASCII only", "só ASCII")),
        switch(
            "verbose",
            say.one(
                "more: every reason, calls of the application",
                "mais: cada porquê, chamadas da aplicação",
            ),
        )
        .short('v'),
    ]
    .into_iter()
    .map(|arg| arg.help_heading(heading))
    .collect()
}

/// What the channel does, all by luck.
pub(crate) fn channel(say: Say) -> Vec<Arg> {
    let heading = say
        .one("Channel (up:10% and down:10% for one direction)", "Canal (up:10% e down:10% para um sentido)");
    [
        choice(
            "channel",
            &CHANNELS,
            say.one("NAME", "NOME"),
            say.one(
                "perfect, lan, wifi, 4g, satellite or awful; the flags below change it",
                "perfect, lan, wifi, 4g, satellite ou awful; as opções abaixo o mudam",
            ),
        ),
        values(
            "delay",
            "20ms",
            say.one("one way; or of one segment: data:2=300ms", "só ida; ou de um segmento: data:2=300ms"),
        ),
        values(
            "jitter",
            "5ms",
            say.one("more or less delay, at random", "atraso a mais ou a menos, ao acaso"),
        ),
        values("loss", "10%", say.one("lost at random", "perdidos ao acaso")),
        values("dup", "1%", say.one("doubled; or one segment: fin", "duplicados; ou um segmento: fin")),
        values(
            "reorder",
            "10%",
            say.one("held back, so that others overtake", "retidos, para que outros ultrapassem"),
        ),
        values(
            "corrupt",
            "1%",
            say.one("damaged; or one segment: data:2", "danificados; ou um segmento: data:2"),
        ),
        switch(
            "fix-checksum",
            say.one("damage that the checksum does not show", "dano que a soma de verificação não mostra"),
        ),
        values("rate", "1mbit", say.one("bits per second", "bits por segundo")),
        values(
            "queue",
            "64",
            say.one("packets that may wait for the rate", "pacotes que podem esperar pela taxa"),
        ),
    ]
    .into_iter()
    .map(|arg| arg.help_heading(heading))
    .collect()
}

/// What happens to one segment, and the luck of all others.
pub(crate) fn picks(say: Say) -> Vec<Arg> {
    let heading = say.one("One segment, and luck", "Um segmento, e a sorte");
    [
        values(
            "drop",
            say.one("WHICH", "QUAIS"),
            say.one(
                "4; 2,5-7; data:3; syn; synack; ack:2; fin; up:4: lose it",
                "4; 2,5-7; data:3; syn; synack; ack:2; fin; up:4: perde-o",
            ),
        ),
        value("seed", "N", say.one("what luck is drawn from (1)", "de onde vem a sorte (1)")),
    ]
    .into_iter()
    .map(|arg| arg.help_heading(heading))
    .collect()
}

/// Where to record.
pub(crate) fn record(say: Say) -> Vec<Arg> {
    let heading = say.one("Record", "Gravar");
    [
        Arg::new("write")
            .short('w')
            .long("write")
            .value_name(say.one("FILE", "ARQUIVO"))
            .action(ArgAction::Set)
            .help(say.one(
                "record: .pcapng, .pcap or .aperto; - is stdout",
                "grava: .pcapng, .pcap ou .aperto; - é a saída padrão",
            )),
        value(
            "tag",
            say.one("TEXT", "TEXTO"),
            say.one("name and class, for the file's header", "nome e turma, no cabeçalho do arquivo"),
        ),
    ]
    .into_iter()
    .map(|arg| arg.help_heading(heading))
    .collect()
}

/// TCP's own numbers.
pub(crate) fn tcp(say: Say) -> Vec<Arg> {
    let heading = say.one("TCP", "TCP");
    [
        value("isn", "C,S|random", say.one("initial sequence numbers", "números de sequência iniciais")),
        value("mss", "N", say.one("largest segment that we take", "maior segmento que aceitamos")),
        value(
            "window",
            "N",
            say.one(
                "receive buffer, in bytes (tcp); packets at once (gbn, sr)",
                "buffer de recepção, em bytes (tcp); pacotes por vez (gbn, sr)",
            ),
        ),
        switch(
            "nodelay",
            say.one("no Nagle: send small writes at once", "sem Nagle: envia escritas pequenas já"),
        ),
    ]
    .into_iter()
    .map(|arg| arg.help_heading(heading))
    .collect()
}

/// What a scene can be told.
pub(crate) fn scene(say: Say) -> Vec<Arg> {
    let heading = say.one("Scene", "Cena");
    [
        choice("proto", &PROTOCOLS, "tcp|udp|saw|gbn|sr", say.one("what is spoken", "o que se fala")),
        value("message", say.one("TEXT", "TEXTO"), say.one("what the client says", "o que o cliente diz"))
            .short('m'),
        value("size", "20k", say.one("bulk, zero-window: how much", "bulk, zero-window: quanto")),
        value(
            "by",
            "N",
            say.one("reorder: by how many it is overtaken", "reorder: por quantos é ultrapassado"),
        ),
        value(
            "server-close",
            "30ms|same",
            say.one("teardown: how long after the client", "teardown: quanto depois do cliente"),
        ),
        value("clients", "N", say.one("ports: how many clients", "ports: quantos clientes")),
        value(
            "payload",
            "N",
            say.one("bytes in a packet (udp, saw, gbn, sr)", "bytes por pacote (udp, saw, gbn, sr)"),
        ),
    ]
    .into_iter()
    .map(|arg| arg.help_heading(heading))
    .collect()
}

/// What client and server on a real wire have in common.
pub(crate) fn wire(say: Say) -> Vec<Arg> {
    let heading = say.one("Wire", "Rede");
    [
        choice(
            "wire",
            &["udp", "tun", "os"],
            "udp|tun|os",
            say.one(
                "inside UDP (another aperto), a TUN device, or the system's sockets",
                "dentro de UDP (outro aperto), um dispositivo TUN, ou os sockets do sistema",
            ),
        ),
        choice("proto", &PROTOCOLS, "tcp|udp|saw|gbn|sr", say.one("what is spoken", "o que se fala")),
        value("address", "10.9.0.2", say.one("tun: our own address", "tun: nosso endereço")),
        value("timeout", "30s", say.one("give up after", "desiste depois de")),
    ]
    .into_iter()
    .map(|arg| arg.help_heading(heading))
    .collect()
}

/// What a server does with its clients.
pub(crate) fn server(say: Say) -> Vec<Arg> {
    let heading = say.one(
        "Server (says how many bytes it got, if nothing is chosen)",
        "Servidor (diz quantos bytes recebeu, se nada for escolhido)",
    );
    [
        switch("echo", say.one("sends back what it gets", "devolve o que recebe")),
        switch("upper", say.one("sends it back in capitals", "devolve em maiúsculas")),
        switch("sink", say.one("swallows it and says its hash", "engole e diz o hash")),
        switch(
            "chat",
            say.one("you write to the clients; \"quit\" ends", "você escreve aos clientes; \"sair\" encerra"),
        ),
        value(
            "out",
            say.one("FILE", "ARQUIVO"),
            say.one("writes what it gets into a file", "escreve num arquivo o que recebe"),
        ),
        switch("lan", say.one("other machines may connect", "outras máquinas podem conectar")),
        value("max-conns", "N", say.one("connections at once", "conexões ao mesmo tempo")),
        switch("once", say.one("ends after the first connection", "termina depois da primeira conexão")),
    ]
    .into_iter()
    .map(|arg| arg.help_heading(heading))
    .collect()
}

/// What a client says.
pub(crate) fn client(say: Say) -> Vec<Arg> {
    let heading = say.one(
        "Client (otherwise what you type, or stdin)",
        "Cliente (senão o que você digita, ou a entrada padrão)",
    );
    [
        value("message", say.one("TEXT", "TEXTO"), say.one("says this and closes", "diz isto e fecha"))
            .short('m'),
        value(
            "file",
            say.one("FILE", "ARQUIVO"),
            say.one("sends this file and closes", "envia este arquivo e fecha"),
        )
        .allow_hyphen_values(false),
        choice(
            "eol",
            &["none", "lf", "crlf"],
            "none|lf|crlf",
            say.one("what ends a typed line (none)", "o que encerra uma linha digitada (none)"),
        ),
    ]
    .into_iter()
    .map(|arg| arg.help_heading(heading))
    .collect()
}
