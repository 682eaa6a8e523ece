//! From a TCP header and its text to octets.
//!
//! RFC 9293 §3.1 and §3.2. Options stand where Linux puts them, each group on a multiple of four
//! octets: MSS; SACK permitted and timestamps in one group of twelve, or either alone behind
//! two No-Operations; No-Operation and window scale; the Fast Open cookie; user timeout; two
//! No-Operations and SACK.
//!
//! Forty octets are all there is. What comes first in that order is kept, what no longer fits is
//! left out whole, except SACK, which keeps as many of its first blocks as fit (three beside
//! timestamps, RFC 7323 §3.2). A caller's raw options come last and are written whole or not at all.

use super::raw::kind;
use super::{FastOpenCookie, Header, NOP_NOP_TIMESTAMPS, Options, Ports, SackBlock, Timestamps};
use crate::checksum::{PseudoHeader, Sum, copy_and_sum};
use crate::error::{Error, Format};

/// How many octets of options a header can hold: data offset 15 less the fixed five words.
const OPTIONS_OCTETS: usize = 40;
/// How many octets a header with only timestamps takes.
const WITH_TIMESTAMPS: usize = Header::FIXED_OCTETS + 12;

impl Header {
    /// How many octets a header takes without options.
    pub const FIXED_OCTETS: usize = 20;
    /// How many octets a header can take at most.
    pub const MAX_OCTETS: usize = Self::FIXED_OCTETS + OPTIONS_OCTETS;
}

/// How many octets [`emit`] needs for this header, options and their padding included.
#[must_use]
pub fn header_length(header: &Header) -> usize {
    match shape(&header.options) {
        Shape::None => Header::FIXED_OCTETS,
        Shape::Timestamps(_) => WITH_TIMESTAMPS,
        Shape::Any => Header::FIXED_OCTETS + Layout::of(&header.options).octets,
    }
}

/// Writes a whole segment, checksum included, and says how many octets it takes.
///
/// The text comes in any number of pieces, which may lie anywhere; it is copied and summed in one
/// pass. RFC 9293 §3.1 [MUST-2].
///
/// # Errors
///
/// The buffer is too small; what it holds then is of no use.
pub fn emit<'p>(
    buffer: &mut [u8],
    ports: Ports,
    header: &Header,
    payload: impl IntoIterator<Item = &'p [u8]>,
    pseudo: PseudoHeader,
) -> Result<usize, Error> {
    let (length, sum) = write_header(buffer, ports, header, &[])?;
    finish(buffer, length, sum, payload, pseudo)
}

/// Writes a segment like [`emit`], with options that we do not know behind those that we do.
///
/// `raw_options` are written as they are, sense or not, and padded with End of Option List. They
/// are left out where they do not fit whole.
///
/// # Errors
///
/// As [`emit`].
pub fn emit_with_raw_options<'p>(
    buffer: &mut [u8],
    ports: Ports,
    header: &Header,
    raw_options: &[u8],
    payload: impl IntoIterator<Item = &'p [u8]>,
    pseudo: PseudoHeader,
) -> Result<usize, Error> {
    let (length, sum) = write_header(buffer, ports, header, raw_options)?;
    finish(buffer, length, sum, payload, pseudo)
}

/// Writes only the header, with a checksum field of zero, and gives its length and its sum.
///
/// For whoever places the text otherwise, or leaves the checksum to a device: the sum goes on with
/// the text and the pseudo-header, and its [`finish`](Sum::finish) belongs at octet 16; a device
/// wants the pseudo-header's [`folded`](Sum::folded) sum there.
///
/// # Errors
///
/// The buffer is too small for the header.
pub fn emit_header(buffer: &mut [u8], ports: Ports, header: &Header) -> Result<(usize, Sum), Error> {
    write_header(buffer, ports, header, &[])
}

/// Copies the text behind the header and writes the checksum.
#[inline]
fn finish<'p>(
    buffer: &mut [u8],
    header_length: usize,
    mut sum: Sum,
    payload: impl IntoIterator<Item = &'p [u8]>,
    pseudo: PseudoHeader,
) -> Result<usize, Error> {
    let present = buffer.len();
    let mut length = header_length;
    for piece in payload {
        let end = length.saturating_add(piece.len());
        let Some(place) = buffer.get_mut(length..end) else {
            return Err(Error::no_room(Format::Tcp, end, present));
        };
        sum = sum.then(copy_and_sum(place, piece));
        length = end;
    }
    let checksum = pseudo.with_length(length).then(sum).finish();
    write_checksum(buffer, checksum);
    Ok(length)
}

/// Puts a checksum into its place in a segment.
fn write_checksum(segment: &mut [u8], checksum: u16) {
    if let Some(place) = segment.get_mut(16..18) {
        place.copy_from_slice(&checksum.to_be_bytes());
    }
}

/// What a header's options look like, the two common shapes apart.
enum Shape {
    None,
    Timestamps(Timestamps),
    Any,
}

#[inline]
fn shape(options: &Options) -> Shape {
    let only_timestamps = options.mss.is_none()
        && options.window_scale.is_none()
        && !options.sack_permitted
        && options.sack.is_empty()
        && options.user_timeout.is_none()
        && options.fast_open.is_none();
    match options.timestamps {
        None if only_timestamps => Shape::None,
        Some(timestamps) if only_timestamps => Shape::Timestamps(timestamps),
        None | Some(_) => Shape::Any,
    }
}

#[inline]
fn write_header(
    buffer: &mut [u8],
    ports: Ports,
    header: &Header,
    raw_options: &[u8],
) -> Result<(usize, Sum), Error> {
    if !raw_options.is_empty() {
        return write_any_header(buffer, ports, header, raw_options);
    }
    let present = buffer.len();
    match shape(&header.options) {
        Shape::None => {
            let Some(place) = buffer.first_chunk_mut::<{ Header::FIXED_OCTETS }>() else {
                return Err(Error::no_room(Format::Tcp, Header::FIXED_OCTETS, present));
            };
            let sum = write_fixed(place, ports, header, Header::FIXED_OCTETS);
            Ok((Header::FIXED_OCTETS, Sum::ZERO.and_numbers(sum)))
        }
        Shape::Timestamps(timestamps) => {
            let Some(place) = buffer.first_chunk_mut::<WITH_TIMESTAMPS>() else {
                return Err(Error::no_room(Format::Tcp, WITH_TIMESTAMPS, present));
            };
            let Some((fixed, options)) = place.split_first_chunk_mut::<{ Header::FIXED_OCTETS }>() else {
                return Err(Error::no_room(Format::Tcp, WITH_TIMESTAMPS, present));
            };
            options[..4].copy_from_slice(&NOP_NOP_TIMESTAMPS.to_be_bytes());
            options[4..8].copy_from_slice(&timestamps.value.to_be_bytes());
            options[8..].copy_from_slice(&timestamps.echo.to_be_bytes());
            let sum = write_fixed(fixed, ports, header, WITH_TIMESTAMPS)
                + u64::from(NOP_NOP_TIMESTAMPS)
                + u64::from(timestamps.value)
                + u64::from(timestamps.echo);
            Ok((WITH_TIMESTAMPS, Sum::ZERO.and_numbers(sum)))
        }
        Shape::Any => write_any_header(buffer, ports, header, raw_options),
    }
}

#[inline(never)]
fn write_any_header(
    buffer: &mut [u8],
    ports: Ports,
    header: &Header,
    raw_options: &[u8],
) -> Result<(usize, Sum), Error> {
    let present = buffer.len();
    let layout = Layout::of(&header.options);
    let raw_options = if layout.octets + raw_options.len() <= OPTIONS_OCTETS { raw_options } else { &[][..] };
    let length = Header::FIXED_OCTETS + layout.octets + raw_options.len().next_multiple_of(4);
    let Some((fixed, options)) =
        buffer.get_mut(..length).and_then(<[u8]>::split_first_chunk_mut::<{ Header::FIXED_OCTETS }>)
    else {
        return Err(Error::no_room(Format::Tcp, length, present));
    };
    let mut writer = Writer { rest: options };
    write_options(&mut writer, &header.options, &layout);
    writer.put(raw_options);
    writer.rest.fill(kind::END);
    let sum = write_fixed(fixed, ports, header, length);
    let options = buffer.get(Header::FIXED_OCTETS..length).unwrap_or_default();
    Ok((length, Sum::ZERO.and_numbers(sum).and(options)))
}

/// Writes the fixed header with a checksum of zero and gives the plain sum of its 32-bit words.
#[inline]
fn write_fixed(
    place: &mut [u8; Header::FIXED_OCTETS],
    ports: Ports,
    header: &Header,
    header_length: usize,
) -> u64 {
    debug_assert!(header_length.is_multiple_of(4) && header_length <= Header::MAX_OCTETS);
    // The data offset counts words and stands in the upper four bits: octets / 4 * 16.
    let offset = (header_length as u32 * 4) << 24;
    let words = [
        u32::from(ports.source) << 16 | u32::from(ports.destination),
        header.seq.value(),
        header.ack.value(),
        offset | u32::from(header.control.bits()) << 16 | u32::from(header.window),
        u32::from(header.urgent_pointer),
    ];
    let mut sum = 0_u64;
    let (places, _) = place.as_chunks_mut::<4>();
    for (place, word) in places.iter_mut().zip(words) {
        *place = word.to_be_bytes();
        sum += u64::from(word);
    }
    sum
}

/// Which options go into the forty octets.
struct Layout {
    mss: Option<u16>,
    sack_permitted: bool,
    timestamps: Option<Timestamps>,
    window_scale: Option<u8>,
    fast_open: Option<FastOpenCookie>,
    user_timeout: bool,
    sack_blocks: usize,
    octets: usize,
}

impl Layout {
    fn of(options: &Options) -> Self {
        let mut room = Room { octets: 0 };
        let mss = options.mss.filter(|_| room.take(4));
        // SACK permitted takes the place of the two No-Operations before timestamps.
        let timestamps = options.timestamps.filter(|_| room.take(12));
        let sack_permitted = options.sack_permitted && (timestamps.is_some() || room.take(4));
        let window_scale = options.window_scale.filter(|_| room.take(4));
        let fast_open =
            options.fast_open.filter(|cookie| room.take((2 + cookie.as_slice().len()).next_multiple_of(4)));
        let user_timeout = options.user_timeout.is_some() && room.take(4);
        let sack_blocks = options.sack.as_slice().len().min(room.left().saturating_sub(4) / 8);
        if sack_blocks > 0 {
            room.take(4 + 8 * sack_blocks);
        }
        Self {
            mss,
            sack_permitted,
            timestamps,
            window_scale,
            fast_open,
            user_timeout,
            sack_blocks,
            octets: room.octets,
        }
    }
}

/// What is taken of the forty octets.
struct Room {
    octets: usize,
}

impl Room {
    fn take(&mut self, octets: usize) -> bool {
        let fits = octets <= self.left();
        if fits {
            self.octets += octets;
        }
        fits
    }

    fn left(&self) -> usize {
        OPTIONS_OCTETS - self.octets
    }
}

/// RFC 9293 §3.1 [MUST-68]: a kind and a length, but for No-Operation; [MUST-69]: what is left of the
/// last word is zeros.
fn write_options(writer: &mut Writer<'_>, options: &Options, layout: &Layout) {
    if let Some(mss) = layout.mss {
        writer.put(&[kind::MSS, 4]);
        writer.put(&mss.to_be_bytes());
    }
    if layout.sack_permitted {
        if layout.timestamps.is_none() {
            writer.put(&[kind::NO_OPERATION; 2]);
        }
        writer.put(&[kind::SACK_PERMITTED, 2]);
    }
    if let Some(Timestamps { value, echo }) = layout.timestamps {
        if !layout.sack_permitted {
            writer.put(&[kind::NO_OPERATION; 2]);
        }
        writer.put(&[kind::TIMESTAMPS, 10]);
        writer.put(&value.to_be_bytes());
        writer.put(&echo.to_be_bytes());
    }
    if let Some(shift) = layout.window_scale {
        writer.put(&[kind::NO_OPERATION, kind::WINDOW_SCALE, 3, shift]);
    }
    if let Some(cookie) = layout.fast_open {
        let octets = cookie.as_slice();
        // A cookie has an even number of octets, 16 at most: the option ends on a multiple of four
        // or two octets before one.
        if octets.len() % 4 == 0 {
            writer.put(&[kind::NO_OPERATION; 2]);
        }
        writer.put(&[kind::FAST_OPEN, 2 + octets.len() as u8]);
        writer.put(octets);
    }
    if let Some(timeout) = options.user_timeout.filter(|_| layout.user_timeout) {
        let field = timeout.amount & 0x7fff | u16::from(timeout.minutes) << 15;
        writer.put(&[kind::USER_TIMEOUT, 4]);
        writer.put(&field.to_be_bytes());
    }
    if let Some(blocks) =
        options.sack.as_slice().get(..layout.sack_blocks).filter(|blocks| !blocks.is_empty())
    {
        writer.put(&[kind::NO_OPERATION, kind::NO_OPERATION, kind::SACK, 2 + 8 * blocks.len() as u8]);
        for SackBlock { start, end } in blocks {
            writer.put(&start.value().to_be_bytes());
            writer.put(&end.value().to_be_bytes());
        }
    }
}

/// Writes one piece after the other.
struct Writer<'a> {
    rest: &'a mut [u8],
}

impl Writer<'_> {
    fn put(&mut self, octets: &[u8]) {
        if let Some((place, rest)) = core::mem::take(&mut self.rest).split_at_mut_checked(octets.len()) {
            place.copy_from_slice(octets);
            self.rest = rest;
        } else {
            debug_assert!(false, "the layout counted the octets");
        }
    }
}
