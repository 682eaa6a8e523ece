//! What the commands that work on recordings say, in Portuguese.

use alloc::format;
use alloc::string::String;

use super::{NotReplayable, ToolFault};
use crate::program::Notice;

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
        ToolFault::ReplayCutOff { file, at, records } => {
            Notice::new(format!("{file} está cortado ou danificado no octeto {at}"))
                .line(format!("os {records} registros antes disso são iguais agora"))
        }
    }
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
