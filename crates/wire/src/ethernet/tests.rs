extern crate std;

use std::string::ToString;
use std::vec;

use proptest::prelude::*;

use super::*;

const HERE: MacAddress = MacAddress([2, 0, 0, 0, 0, 1]);
const THERE: MacAddress = MacAddress([2, 0, 0, 0, 0, 2]);

fn error(octets: &[u8]) -> (What, usize) {
    let error = parse(octets).unwrap_err();
    assert_eq!(error.format, Format::Ethernet);
    (error.what, error.at)
}

#[test]
fn an_ethernet_ii_frame_has_its_fourteen_octets() {
    let header = Header::new(HERE, THERE, EtherType::IPV4);
    let mut octets = [0x45; 16];
    assert_eq!(emit(&mut octets, &header), Ok(14));
    assert_eq!(octets, [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0x45]);
    assert_eq!(parse(&octets), Ok(Frame { header, payload: &[0x45; 2] }));
}

/// IEEE 802.1Q §9.6: priority 5, drop eligible, identifier 100 is b064.
#[test]
fn two_vlan_tags_are_read_outermost_first() {
    let mut header = Header::new(HERE, THERE, EtherType::ARP);
    let outer = VlanTag { kind: EtherType::PROVIDER_VLAN, priority: 5, drop_eligible: true, id: 100 };
    let inner = VlanTag { kind: EtherType::VLAN, priority: 0, drop_eligible: false, id: 4095 };
    assert!(header.tags.push(outer) && header.tags.push(inner) && !header.tags.push(inner));
    let mut octets = [0; 22];
    assert_eq!(emit(&mut octets, &header), Ok(22));
    assert_eq!(octets[12..], [0x88, 0xa8, 0xb0, 0x64, 0x81, 0x00, 0x0f, 0xff, 0x08, 0x06]);
    assert_eq!(parse(&octets), Ok(Frame { header, payload: &[] }));
}

#[test]
fn a_third_tag_is_an_error_at_its_octet() {
    let octets = [&[0; 12][..], &[0x81, 0, 0, 1, 0x81, 0, 0, 2, 0x81, 0, 0, 3, 8, 0]].concat();
    assert_eq!(error(&octets), (What::TooManyTags { most: 2 }, 20));
}

#[test]
fn an_ieee_802_3_length_trims_the_padding() {
    let mut octets = [0; 60];
    octets[13] = 3;
    octets[14..17].copy_from_slice(b"llc");
    let frame = parse(&octets).unwrap();
    assert_eq!((frame.header.content, frame.payload), (Content::Length(3), &b"llc"[..]));
    octets[13] = 47;
    assert_eq!(error(&octets), (What::LengthTooLong { octets: 47, present: 46 }, 12));
}

#[test]
fn a_type_that_is_neither_type_nor_length_is_an_error() {
    let mut octets = [0; 14];
    for field in [1501_u16, 1535] {
        octets[12..].copy_from_slice(&field.to_be_bytes());
        assert_eq!(error(&octets), (What::Value { found: field.into() }, 12));
    }
    octets[12..].copy_from_slice(&1536_u16.to_be_bytes());
    assert!(parse(&octets).is_ok());
}

#[test]
fn a_header_cut_anywhere_is_an_error_that_names_the_octet() {
    let octets = [&[0; 12][..], &[0x88, 0xa8, 0, 1, 0x81, 0, 0, 2, 0x86, 0xdd]].concat();
    for length in 0..22 {
        assert!(matches!(error(&octets[..length]), (What::Truncated { .. }, at) if at == length), "{length}");
    }
    assert!(parse(&octets).is_ok());
}

#[test]
fn what_a_header_cannot_say_is_an_error() {
    let header = Header::new(HERE, THERE, EtherType::IPV4);
    let mut buffer = [0; 22];
    assert!(emit(&mut buffer[..13], &header).is_err());
    for content in [Content::Type(EtherType(1535)), Content::Type(EtherType::VLAN), Content::Length(1501)] {
        assert!(emit(&mut buffer, &Header { content, ..header }).is_err(), "{content:?}");
    }
    for tag in [
        VlanTag { kind: EtherType::IPV4, ..VlanTag::NONE },
        VlanTag { priority: 8, ..VlanTag::NONE },
        VlanTag { id: 4096, ..VlanTag::NONE },
    ] {
        let mut header = header;
        header.tags.push(tag);
        assert!(emit(&mut buffer, &header).is_err(), "{tag:?}");
    }
}

#[test]
fn addresses_are_told_apart_written_and_read() {
    assert!(HERE.is_unicast() && !HERE.is_multicast());
    assert!(MacAddress::BROADCAST.is_multicast() && !MacAddress::UNSPECIFIED.is_unicast());
    let text = "02:00:5e:0a:ff:01";
    assert_eq!(text.parse::<MacAddress>().unwrap().to_string(), text);
    for text in ["", "02:00:5e:0a:ff", "02:00:5e:0a:ff:01:02", "2:0:5e:a:ff:1", "02:00:5e:0a:ff:+1"] {
        assert_eq!(text.parse::<MacAddress>(), Err(MacAddressError), "{text}");
    }
}

/// RFC 1112 §6.4 takes 23 bits, RFC 2464 §7 takes 32.
#[test]
fn ip_multicast_goes_to_a_multicast_card_address() {
    let of = |text: &str| MacAddress::of_multicast(text.parse().unwrap()).map(|mac| mac.to_string());
    assert_eq!(of("224.129.2.3").as_deref(), Some("01:00:5e:01:02:03"));
    assert_eq!(of("ff02::1:ff00:1234").as_deref(), Some("33:33:ff:00:12:34"));
    assert_eq!((of("10.0.0.1"), of("2001:db8::1")), (None, None));
}

proptest! {
    #[test]
    fn what_is_emitted_parses_to_the_same(
        destination in any::<[u8; 6]>(), source in any::<[u8; 6]>(),
        tags in proptest::collection::vec((any::<bool>(), 0_u8..8, any::<bool>(), 0_u16..4096), 0..=2),
        kind in 0x0600_u16..0x8000, length in proptest::option::of(0_u16..100),
    ) {
        let mut header = Header {
            destination: MacAddress(destination), source: MacAddress(source), tags: VlanTags::NONE,
            content: length.map_or(Content::Type(EtherType(kind)), Content::Length),
        };
        for (provider, priority, drop_eligible, id) in tags {
            let kind = if provider { EtherType::PROVIDER_VLAN } else { EtherType::VLAN };
            header.tags.push(VlanTag { kind, priority, drop_eligible, id });
        }
        let mut octets = vec![7; header.length() + 100];
        prop_assert_eq!(emit(&mut octets, &header), Ok(header.length()));
        let frame = parse(&octets).unwrap();
        prop_assert_eq!(frame.header, header);
        prop_assert_eq!(frame.payload.len(), length.map_or(100, usize::from));
    }

    #[test]
    fn random_octets_never_panic(
        octets in proptest::collection::vec(any::<u8>(), 0..40),
        kinds in prop::sample::select(vec![[0x81, 0], [0x88, 0xa8], [8, 0], [0, 7]]),
    ) {
        let mut octets = octets;
        let _ = parse(&octets);
        for at in [12, 16, 20] {
            if let Some(place) = octets.get_mut(at..at + 2) { place.copy_from_slice(&kinds); }
            let _ = parse(&octets);
        }
    }
}
