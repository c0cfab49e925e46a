//! kine's compression of values: streams of S2, an extension of Snappy, by its published format.
//!
//! What is written is plain Snappy, which every reader of S2 takes.

use std::io::Write;

/// The frame format's header of a chunk: a type and three bytes of length.
const HEADER: usize = 4;
const CHECKSUM: usize = 4;
/// No writer makes a larger block.
const LARGEST_BLOCK: usize = 4 << 20;

/// Compresses a value.
pub(super) fn compress(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut writer = snap::write::FrameEncoder::new(Vec::new());
    writer.write_all(plain)?;
    writer.into_inner().map_err(|error| std::io::Error::other(error.to_string()))
}

/// Takes a compressed value apart; none if it is damaged.
pub(super) fn decompress(mut stream: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    while !stream.is_empty() {
        let (header, rest) = stream.split_at_checked(HEADER)?;
        let length = usize::from(header[1]) | usize::from(header[2]) << 8 | usize::from(header[3]) << 16;
        let (body, rest) = rest.split_at_checked(length)?;
        stream = rest;
        match header[0] {
            0x00 => {
                let (sum, block) = body.split_at_checked(CHECKSUM)?;
                let from = plain.len();
                decompress_block(block, &mut plain)?;
                is_sum(sum, &plain[from..]).then_some(())?;
            }
            0x01 => {
                let (sum, block) = body.split_at_checked(CHECKSUM)?;
                is_sum(sum, block).then_some(())?;
                plain.extend_from_slice(block);
            }
            // Others below are of later formats, those above may be skipped.
            kind if kind < 0x80 => return None,
            _ => {}
        }
    }
    Some(plain)
}

/// One block: a length, then literals and copies of what was written before.
fn decompress_block(block: &[u8], plain: &mut Vec<u8>) -> Option<()> {
    let mut input = Input(block);
    let start = plain.len();
    let length = input.varint()?;
    if length > LARGEST_BLOCK {
        return None;
    }
    let end = start + length;
    let mut offset = 0;
    while !input.0.is_empty() {
        let tag = usize::from(input.byte()?);
        let short = tag >> 2;
        let length = match tag & 3 {
            0 => {
                let length = 1 + if short < 60 { short } else { input.number(short - 59)? };
                plain.extend_from_slice(input.take(length)?);
                continue;
            }
            1 => {
                let (short, near) = (short & 7, (tag & 0xe0) << 3 | usize::from(input.byte()?));
                if near == 0 {
                    4 + repeated(short, &mut input)?
                } else {
                    offset = near;
                    4 + short
                }
            }
            wide => {
                offset = input.number(if wide == 2 { 2 } else { 4 })?;
                1 + short
            }
        };
        copy(plain, start, offset, length, end)?;
    }
    (plain.len() == end).then_some(())
}

/// The length, less 4, of a copy from the same offset as the one before: what S2 adds to Snappy.
fn repeated(short: usize, input: &mut Input<'_>) -> Option<usize> {
    Some(match short {
        5 => 4 + input.number(1)?,
        6 => (1 << 8) + input.number(2)?,
        7 => (1 << 16) + input.number(3)?,
        length => length,
    })
}

fn copy(plain: &mut Vec<u8>, start: usize, offset: usize, length: usize, end: usize) -> Option<()> {
    let from = plain.len().checked_sub(offset).filter(|from| offset > 0 && *from >= start)?;
    if plain.len() + length > end {
        return None;
    }
    // What is copied may reach into what is being written.
    for position in from..from + length {
        plain.push(plain[position]);
    }
    Some(())
}

/// What is left to read.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|taken| taken[0])
    }

    /// A number of so many bytes, the lowest first.
    fn number(&mut self, bytes: usize) -> Option<usize> {
        let taken = self.take(bytes)?;
        Some(taken.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
    }

    fn varint(&mut self) -> Option<usize> {
        let mut number = 0;
        for shift in (0..35).step_by(7) {
            let byte = usize::from(self.byte()?);
            number |= (byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }
}

/// CRC-32C of each byte.
const CASTAGNOLI: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0_u32;
    while byte < 256 {
        let mut crc = byte;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 0 { crc >> 1 } else { crc >> 1 ^ 0x82f6_3b78 };
            bit += 1;
        }
        table[byte as usize] = crc;
        byte += 1;
    }
    table
};

/// Whether a checksum is that of the text, in the format's masked form.
fn is_sum(sum: &[u8], plain: &[u8]) -> bool {
    let next = |crc: u32, byte: &u8| crc >> 8 ^ CASTAGNOLI[usize::from(crc.to_le_bytes()[0] ^ byte)];
    let crc = !plain.iter().fold(!0, next);
    let masked = crc.rotate_right(15).wrapping_add(0xa282_ead8);
    sum == masked.to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::{compress, decompress, decompress_block};

    #[test]
    fn what_was_compressed_comes_back_whatever_it_is() {
        for plain in [Vec::new(), b"a".to_vec(), b"abc".repeat(100_000), (0..=255).collect()] {
            assert_eq!(decompress(&compress(&plain).unwrap()).unwrap(), plain);
        }
    }

    #[test]
    fn repeats_of_s2_are_understood() {
        // "abcd", a copy of 4 from 4 back, the literal "x", then 4 more from as far back.
        let block = [13, 3 << 2, b'a', b'b', b'c', b'd', 1, 4, 0, b'x', 1, 0];
        let mut plain = Vec::new();
        decompress_block(&block, &mut plain).unwrap();
        assert_eq!(plain, b"abcdabcdxbcdx");
    }

    #[test]
    fn what_is_damaged_is_none_and_no_crash() {
        let stream = compress(&b"some text, some text, some text".repeat(20)).unwrap();
        for position in 0..stream.len() {
            let mut damaged = stream.clone();
            damaged[position] ^= 0x55;
            let _ = decompress(&damaged);
            assert!(decompress(&stream[..position]).is_none_or(|plain| plain.is_empty()));
        }
        let mut damaged = stream.clone();
        *damaged.last_mut().unwrap() ^= 1;
        assert_eq!(decompress(&damaged), None);
    }
}
