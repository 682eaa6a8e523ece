//! clap's errors as ours: a typed fault, of which sentences in two languages are made.

use aperto_explain::program::Fault;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::command::papers::nearest;

/// What clap has to say instead of arguments.
pub(crate) enum Refusal {
    /// The user asked for help: here it is.
    Help(String),
    /// Wrong usage.
    Fault(Fault),
}

/// Sorts an error of clap.
pub(crate) fn sort(error: &clap::Error, program: &str) -> Refusal {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand) {
        return Refusal::Help(error.render().ansi().to_string());
    }
    let context = Context(error);
    let fault = match error.kind() {
        ErrorKind::InvalidSubcommand => Fault::UnknownCommand {
            word: context.text(ContextKind::InvalidSubcommand),
            nearest: context.suggestion(ContextKind::InvalidSubcommand, ContextKind::SuggestedSubcommand),
        },
        ErrorKind::UnknownArgument => unknown(&context),
        ErrorKind::InvalidValue if context.text(ContextKind::InvalidValue).is_empty() => {
            Fault::MissingValue { flag: context.flag() }
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => Fault::NotAChoice {
            flag: context.flag(),
            value: context.text(ContextKind::InvalidValue),
            choices: context.list(ContextKind::ValidValue),
            nearest: context.suggestion(ContextKind::InvalidValue, ContextKind::SuggestedValue),
        },
        ErrorKind::NoEquals | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            Fault::MissingValue { flag: context.flag() }
        }
        ErrorKind::TooManyValues => Fault::UnexpectedValue { flag: context.flag() },
        ErrorKind::ArgumentConflict => {
            let (first, others) = (context.flag(), context.list(ContextKind::PriorArg));
            match others.first().map(|other| bare(other)) {
                Some(second) if second != first => Fault::Conflict { first, second },
                _ => Fault::Repeated { flag: first },
            }
        }
        ErrorKind::MissingRequiredArgument | ErrorKind::MissingSubcommand => Fault::MissingArguments {
            names: context.list(ContextKind::InvalidArg),
            command: program.to_owned(),
        },
        ErrorKind::InvalidUtf8 => Fault::NotUnicode { value: String::new() },
        _ => Fault::System { what: error.kind().to_string() },
    };
    Refusal::Fault(fault)
}

/// A word that no command takes: a flag, a command that was mistyped, or one word too many.
fn unknown(context: &Context<'_>) -> Fault {
    let word = context.text(ContextKind::InvalidArg);
    if word.starts_with('-') {
        Fault::UnknownFlag {
            flag: word,
            nearest: context.suggestion(ContextKind::InvalidArg, ContextKind::SuggestedArg),
        }
    } else {
        Fault::UnexpectedWord { word }
    }
}

struct Context<'a>(&'a clap::Error);

impl Context<'_> {
    fn text(&self, kind: ContextKind) -> String {
        self.list(kind).into_iter().next().unwrap_or_default()
    }

    fn list(&self, kind: ContextKind) -> Vec<String> {
        match self.0.get(kind) {
            Some(ContextValue::String(one)) => vec![one.clone()],
            Some(ContextValue::Strings(all)) => all.clone(),
            _ => Vec::new(),
        }
    }

    /// clap's order of suggestions prefers common beginnings; people drop and swap letters.
    fn suggestion(&self, word: ContextKind, kind: ContextKind) -> Option<String> {
        let all = self.list(kind);
        nearest(&self.text(word), all.iter().cloned()).or_else(|| all.into_iter().next())
    }

    /// The flag as it is typed, without the name of its value.
    fn flag(&self) -> String {
        bare(&self.text(ContextKind::InvalidArg))
    }
}

/// A flag without the name of its value, or what stands without a flag.
fn bare(shown: &str) -> String {
    let first = shown.split([' ', '=']).next().unwrap_or_default();
    first.trim_end_matches("...").trim_matches(['<', '>', '[', ']']).to_owned()
}
