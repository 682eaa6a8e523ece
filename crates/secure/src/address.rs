//! `aperto://HOST:PORT/#pin`: where a server is, and which key it has.
//!
//! RFC 3986 §3. Whoever has such an address knows the server from the first octet on: nothing has
//! to be trusted at first sight. Without `#pin` it is `HOST:PORT` with secrecy.

use std::fmt;

use crate::Fingerprint;

/// What an address of ours begins with.
pub const SCHEME: &str = "aperto://";

/// A secure server's address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address {
    /// Name or address, without brackets.
    pub host: String,
    /// The port, if it is said.
    pub port: Option<u16>,
    /// The key that the server must have.
    pub pin: Option<Fingerprint>,
}

/// What is wrong with an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadAddress {
    /// It does not begin with `aperto://`: perhaps it is none.
    NoScheme,
    /// No host, no port number, or something behind it.
    NotAnAddress,
    /// What stands behind `#` is no fingerprint.
    NotAPin,
}

impl Address {
    /// Reads one.
    ///
    /// # Errors
    ///
    /// See [`BadAddress`].
    pub fn read(text: &str) -> Result<Self, BadAddress> {
        let begins = text.get(..SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCHEME));
        let rest = text.get(SCHEME.len()..).filter(|_| begins).ok_or(BadAddress::NoScheme)?;
        let (place, pin) = match rest.split_once('#') {
            Some((place, pin)) => (place, Some(pin.parse().map_err(|_| BadAddress::NotAPin)?)),
            None => (rest, None),
        };
        let place = place.strip_suffix('/').unwrap_or(place);
        let (host, port) = match place.strip_prefix('[') {
            Some(bracketed) => {
                let (host, port) = bracketed.split_once(']').ok_or(BadAddress::NotAnAddress)?;
                let port = match port.strip_prefix(':') {
                    Some(port) => Some(port),
                    None if port.is_empty() => None,
                    None => return Err(BadAddress::NotAnAddress),
                };
                (host, port)
            }
            None => match place.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (place, None),
            },
        };
        let port = match port {
            None => None,
            Some(text) => match text.parse::<u16>() {
                Ok(port) if port != 0 => Some(port),
                _ => return Err(BadAddress::NotAnAddress),
            },
        };
        let odd = |letter: char| letter.is_whitespace() || letter.is_control() || "/?@[]".contains(letter);
        if host.is_empty() || host.contains(odd) {
            return Err(BadAddress::NotAnAddress);
        }
        Ok(Self { host: host.into(), port, pin })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SCHEME)?;
        if self.host.contains(':') { write!(f, "[{}]", self.host) } else { f.write_str(&self.host) }?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        f.write_str("/")?;
        match self.pin {
            Some(pin) => write!(f, "#{pin}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIN: &str = "xj4b-np4p-ahh6-uqkb-idpf-3lrc-eo";

    #[test]
    fn an_address_says_host_port_and_key() {
        let text = format!("aperto://192.0.2.7:7777/#{PIN}");
        let address = Address::read(&text).unwrap();
        assert_eq!((address.host.as_str(), address.port), ("192.0.2.7", Some(7777)));
        assert_eq!(address.pin.unwrap().to_string(), PIN);
        assert_eq!(address.to_string(), text);
        let address = Address::read(&format!("APERTO://[::1]:7000/#{PIN}")).unwrap();
        assert_eq!((address.host.as_str(), address.port), ("::1", Some(7000)));
        assert_eq!(address.to_string(), format!("aperto://[::1]:7000/#{PIN}"));
        for bare in ["aperto://ana.local", "aperto://ana.local/"] {
            let address = Address::read(bare).unwrap();
            assert_eq!((address.host.as_str(), address.port, address.pin), ("ana.local", None, None));
        }
    }

    #[test]
    fn what_is_no_address_is_refused_by_name() {
        for (text, why) in [
            ("192.0.2.7:7777", BadAddress::NoScheme),
            ("http://192.0.2.7", BadAddress::NoScheme),
            ("aperto:/", BadAddress::NoScheme),
            ("", BadAddress::NoScheme),
            ("apertoé//", BadAddress::NoScheme),
            ("aperto://", BadAddress::NotAnAddress),
            ("aperto://:7000", BadAddress::NotAnAddress),
            ("aperto://a:0/", BadAddress::NotAnAddress),
            ("aperto://a:70000/", BadAddress::NotAnAddress),
            ("aperto://a:7000/path", BadAddress::NotAnAddress),
            ("aperto://user@a:7000/", BadAddress::NotAnAddress),
            ("aperto://[::1/", BadAddress::NotAnAddress),
            ("aperto://[::1]7000/", BadAddress::NotAnAddress),
            ("aperto://a b:7000/", BadAddress::NotAnAddress),
            ("aperto://a:7000/#", BadAddress::NotAPin),
            ("aperto://a:7000/#xj4b", BadAddress::NotAPin),
        ] {
            assert_eq!(Address::read(text), Err(why), "{text}");
        }
    }
}
