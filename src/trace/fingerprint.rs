//! A running SHA-256 over a trace in a form that is the same on every machine.

use sha2::{Digest, Sha256};

use super::{Event, Strings, Symbol};

#[derive(Debug, Clone, Default)]
pub struct Fingerprint {
    digest: Sha256,
    strings: usize,
    scratch: Vec<u8>,
}

impl Fingerprint {
    /// Takes in the strings that are new since the last event, then the event.
    pub fn event(&mut self, event: &Event, strings: &Strings) {
        while self.strings < strings.len() {
            let text = strings.text(Symbol(self.strings as u32));
            self.digest.update((text.len() as u32).to_le_bytes());
            self.digest.update(text.as_bytes());
            self.strings += 1;
        }
        let scratch = std::mem::take(&mut self.scratch);
        let mut encoded = postcard::to_extend(event, scratch).expect("events hold nothing that cannot be encoded");
        self.digest.update(&encoded);
        encoded.clear();
        self.scratch = encoded;
    }

    pub fn hex(&self) -> String {
        self.digest.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
