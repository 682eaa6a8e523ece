//! That none is without words in either language, and that all fit.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::*;
use crate::program::Fault;
use crate::wording::width;

fn all() -> Vec<ToolFault> {
    let text = || "x".to_string();
    let mut all = alloc::vec![
        ToolFault::ReplayDiffers {
            file: text(),
            record: 3,
            recorded: Some(text()),
            now: None,
            version: None
        },
        ToolFault::ReplayDiffers {
            file: text(),
            record: 3,
            recorded: None,
            now: Some(text()),
            version: Some(text())
        },
        ToolFault::ReplayCutOff { file: text(), at: 7, records: 3 },
    ];
    let whys = [
        NotReplayable::Live(text()),
        NotReplayable::Capture,
        NotReplayable::NoRecipe,
        NotReplayable::UnknownRecipe(text()),
        NotReplayable::NotUnderstood { recipe: text(), what: text() },
    ];
    for count in [1, 30] {
        let one = WrongClaim { line: 3, what: aperto_trace::check::Fault::OpenQuote, nearest: Some(text()) };
        all.push(ToolFault::BadClaims { file: text(), wrong: alloc::vec![one; count] });
    }
    all.extend([Some(text()), None].map(|what| ToolFault::NoSockets { what }));
    all.push(ToolFault::CheckCutOff { file: text(), at: 7, packets: 3 });
    for why in [
        NotMergeable::BothEnds,
        NotMergeable::Nothing,
        NotMergeable::NoEnd,
        NotMergeable::Strangers(text()),
        NotMergeable::SameEnd(text()),
    ] {
        all.push(ToolFault::NotMergeable { file: text(), why });
    }
    all.extend(whys.map(|why| ToolFault::NotReplayable { file: text(), why }));
    all
}

#[test]
fn each_fault_of_a_tool_has_words_in_both_languages_and_they_differ() {
    for fault in all() {
        let (english, portuguese) = (fault.notice(Language::English), fault.notice(Language::Portuguese));
        assert_ne!(english.headline, portuguese.headline, "{fault:?}");
        assert_eq!(english.details.len(), portuguese.details.len(), "{fault:?}");
        let fault = Fault::Tool(fault);
        for line in fault.lines(Language::English).iter().chain(&fault.lines(Language::Portuguese)) {
            assert!(width(line) <= 80, "{line}");
        }
    }
}
