//! Follows what yamux sends, for one thing: that it gave up on the other side. It says so on the wire and then waits
//! for the other side to go, which a hostile one would not.

const HEAD: usize = 12;
const DATA: u8 = 0;
const GO_AWAY: u8 = 3;

/// Where in the sequence of sent frames the bytes are.
#[derive(Debug, Default)]
pub(crate) struct SentFrames {
    head: [u8; HEAD],
    filled: usize,
    body: usize,
    has_given_up: bool,
}

impl SentFrames {
    /// Takes the next bytes.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let skipped = self.body.min(bytes.len());
            self.body -= skipped;
            bytes = bytes.get(skipped..).unwrap_or_default();
            let taken = bytes.len().min(HEAD - self.filled);
            let (head, rest) = bytes.split_at(taken);
            for (place, byte) in self.head.iter_mut().skip(self.filled).zip(head) {
                *place = *byte;
            }
            self.filled += taken;
            bytes = rest;
            if self.filled == HEAD {
                self.filled = 0;
                self.read_head();
            }
        }
    }

    /// Whether yamux told the other side to go.
    pub(crate) fn has_given_up(&self) -> bool {
        self.has_given_up
    }

    // Version, kind, two bytes of flags, four of the stream, four of the length (of a body only if data).
    fn read_head(&mut self) {
        let [_, kind, _, _, _, _, _, _, length @ ..] = self.head;
        match kind {
            DATA => self.body = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX),
            GO_AWAY => self.has_given_up = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SentFrames;

    fn frame(kind: u8, length: u32) -> Vec<u8> {
        let mut bytes = vec![0, kind, 0, 0, 0, 0, 0, 1];
        bytes.extend(length.to_be_bytes());
        bytes
    }

    #[test]
    fn only_a_frame_that_says_so_is_the_end_however_it_is_cut() {
        let mut bytes = frame(0, 24);
        // Data that looks like the frame that is looked for.
        bytes.extend(frame(3, 1));
        bytes.extend(frame(3, 1));
        bytes.extend(frame(1, 4_000_000));
        bytes.extend(frame(2, 77));
        for size in [1, 5, 12, 13, bytes.len()] {
            let mut frames = SentFrames::default();
            bytes.chunks(size).for_each(|chunk| frames.push(chunk));
            assert!(!frames.has_given_up(), "in pieces of {size}");
            frames.push(&frame(3, 1));
            assert!(frames.has_given_up(), "in pieces of {size}");
        }
    }
}
