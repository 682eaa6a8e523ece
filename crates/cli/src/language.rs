//! Which language is spoken: the flag, `APERTO_LANG`, the settings, the locale, the system, English.

use aperto_explain::Language;

use crate::environment::Environment;
use crate::settings::Settings;

/// Chooses, before the command line is understood: its errors are told in this language, too.
pub(crate) fn choose(environment: &Environment, settings: &Settings) -> Language {
    if let Some(language) = environment.early_flag("lang").and_then(Language::parse) {
        return language;
    }
    if let Some(language) = settings.value("lang").and_then(|text| Language::parse(&text)) {
        return language;
    }
    // POSIX: the first of them that is set decides, whatever it says.
    if let Some(locale) = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(Environment::variable) {
        return Language::parse(&locale).unwrap_or_default();
    }
    sys_locale::get_locale().and_then(|locale| Language::parse(&locale)).unwrap_or_default()
}
