//! What the commands that work on recordings say, in Portuguese.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use aperto_time::Duration;

use super::{MOST_WRONG, MergeTold, NotMergeable, NotReplayable, ToolFault};
use crate::Language;
use crate::program::{Notice, claims};
use crate::quantity::milliseconds;

/// The fault in words.
pub(super) fn fault(fault: &ToolFault) -> Notice {
    match fault {
        ToolFault::NotReplayable { file, why } => not_replayable(file, why),
        ToolFault::ReplayDiffers { file, record, recorded, now, version } => {
            let nothing = || String::from("nada mais");
            let what = if *record == 0 { "o cabeçalho".into() } else { format!("o registro {record}") };
            let notice = Notice::new(format!("{file}: {what} não é o que acontece agora"))
                .line(format!("gravado:  {}", recorded.clone().unwrap_or_else(nothing)))
                .line(format!("agora:    {}", now.clone().unwrap_or_else(nothing)));
            match version {
                Some(version) => notice.line(format!("foi gravado pelo aperto {version}")),
                None => notice.line("a mesma versão dá os mesmos registros: o arquivo foi alterado?"),
            }
        }
        ToolFault::NotMergeable { file, why } => not_mergeable(file, why),
        ToolFault::NoSockets { what: Some(what) } => {
            Notice::new("o sistema não lista seus sockets").line(format!("ele diz:  {what}"))
        }
        ToolFault::NoSockets { what: None } => {
            Notice::new("o aperto só sabe pedir ao Linux a lista de sockets").line("aqui:  netstat -an")
        }
        ToolFault::BadClaims { file, wrong } => {
            let mut notice = Notice::new(match wrong.len() {
                1 => format!("{file}: uma linha não foi entendida"),
                many => format!("{file}: {many} linhas não foram entendidas"),
            });
            for one in wrong.iter().take(MOST_WRONG) {
                notice = notice.line(claims::wrong(Language::Portuguese, one));
            }
            if wrong.len() > MOST_WRONG {
                notice = notice.line(format!("e mais {}", wrong.len() - MOST_WRONG));
            }
            notice.line("todas as afirmações:  aperto conferir --help")
        }
        ToolFault::CheckCutOff { file, at, packets } => {
            Notice::new(format!("{file} está cortado ou danificado no octeto {at}"))
                .line(format!("as afirmações foram julgadas pelos {packets} pacotes antes disso"))
        }
        ToolFault::ReplayCutOff { file, at, records } => {
            Notice::new(format!("{file} está cortado ou danificado no octeto {at}"))
                .line(format!("os {records} registros antes disso são iguais agora"))
        }
    }
}

fn not_mergeable(file: &str, why: &NotMergeable) -> Notice {
    match why {
        NotMergeable::BothEnds => Notice::new(format!("{file} já tem as duas pontas"))
            .line("juntar é para uma gravação do cliente e uma do servidor")
            .line(format!("veja o que há nele:  aperto mostrar {file}")),
        NotMergeable::Nothing => Notice::new(format!("{file} não tem pacotes")),
        NotMergeable::NoEnd => Notice::new(format!("{file} não diz em que ponta foi feito"))
            .line("dê-o junto com uma gravação do aperto, feita na outra ponta"),
        NotMergeable::Strangers(other) => {
            Notice::new(format!("{file} e {other} não têm nenhuma conexão em comum"))
                .line("endereços, portas e números de sequência iniciais devem ser iguais nos dois")
                .line("grave as duas pontas de uma execução:  aperto servidor ... -w s.aperto")
        }
        NotMergeable::SameEnd(other) => {
            Notice::new(format!("{file} e {other} foram gravados na mesma ponta"))
                .line("juntar precisa de uma gravação do cliente e uma do servidor")
        }
    }
}

/// What came of a merger.
pub(super) fn merged(told: &MergeTold, ahead: Duration, one_way: Option<Duration>) -> Vec<String> {
    let MergeTold { client, server, left, arrived, lost, copies, unseen, left_out, .. } = told;
    let word = if told.server_ahead_ns < 0 { "atrasado" } else { "adiantado" };
    let time = |time| milliseconds(Language::Portuguese, time);
    let mut lines = Vec::from([
        format!("cliente  {client}"),
        format!("servidor {server}"),
        format!("pacotes  saíram {left}, chegaram {arrived}, perdidos no caminho {lost}, cópias {copies}"),
        format!("relógios o do servidor estava {} {word} em relação ao do cliente", time(ahead)),
    ]);
    lines.push(match one_way {
        Some(way) => {
            format!("         se ida e volta duram o mesmo: {} cada; senão, até isso errado", time(way))
        }
        None => "         só houve pacotes num sentido: supõe-se que o mais rápido não demorou".into(),
    });
    if *unseen > 0 {
        lines.push(format!("sem ida  {unseen} chegaram sem que ninguém gravasse a saída"));
    }
    if *left_out > 0 {
        lines.push(format!("a sós    {left_out} conexões estão só numa das gravações e ficam de fora"));
    }
    lines.push(String::new());
    lines
}

fn not_replayable(file: &str, why: &NotReplayable) -> Notice {
    match why {
        NotReplayable::Live(wire) => Notice::new(format!("{file} foi gravado ao vivo (--wire {wire})"))
            .line("o outro lado, o relógio e a rede não estão no arquivo: ninguém pode repeti-los")
            .line(format!("veja o que há nele:  aperto mostrar {file}")),
        NotReplayable::Capture => Notice::new(format!("{file} é uma captura: só tem pacotes"))
            .line("grave a execução num arquivo .aperto:  aperto --drop 4 -w execucao.aperto"),
        NotReplayable::NoRecipe => Notice::new(format!("{file} não diz como foi feito"))
            .line("grave de novo:  aperto --drop 4 -w execucao.aperto"),
        NotReplayable::UnknownRecipe(kind) => {
            Notice::new(format!("{file} tem uma receita de um tipo desconhecido aqui: {kind}"))
                .line("um aperto mais novo a escreveu; use aquele")
        }
        NotReplayable::NotUnderstood { recipe, what } => {
            Notice::new(format!("{file}: a receita não foi entendida ({what})"))
                .line(format!("ela diz:  {recipe}"))
        }
    }
}
