//! Stands in for `unicode_names2`, whose table of names is 300 KB of what a reader downloads. Here are the names that follow
//! from a rule; a handler that writes another one as `\N{…}` is told that its character is not known.

use std::fmt;

const IDEOGRAPH: &str = "CJK UNIFIED IDEOGRAPH-";
const SYLLABLE: &str = "HANGUL SYLLABLE ";
const LEADING: [&str; 19] =
    ["G", "GG", "N", "D", "DD", "R", "M", "B", "BB", "S", "SS", "", "J", "JJ", "C", "K", "T", "P", "H"];
const VOWELS: [&str; 21] = [
    "A", "AE", "YA", "YAE", "EO", "E", "YEO", "YE", "O", "WA", "WAE", "OE", "YO", "U", "WEO", "WE", "WI", "YU", "EU",
    "YI", "I",
];
const TRAILING: [&str; 28] = [
    "", "G", "GG", "GS", "N", "NJ", "NH", "D", "L", "LG", "LM", "LB", "LS", "LT", "LP", "LH", "M", "B", "BS", "S", "SS",
    "NG", "J", "C", "K", "T", "P", "H",
];
const FIRST_SYLLABLE: u32 = 0xAC00;
const LAST_SYLLABLE: u32 = 0xD7A3;
const IDEOGRAPHS: [(u32, u32); 11] = [
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81D),
    (0x2B820, 0x2CEAD),
    (0x2CEB0, 0x2EBE0),
    (0x2EBF0, 0x2EE5D),
    (0x30000, 0x3134A),
    (0x31350, 0x323AF),
    (0x323B0, 0x33479),
];

pub struct Name(char);

pub fn name(character: char) -> Option<Name> {
    let code = u32::from(character);
    (is_ideograph(code) || is_syllable(code)).then_some(Name(character))
}

pub fn character(name: &str) -> Option<char> {
    if let Some(code) = name.strip_prefix(IDEOGRAPH) {
        let code = u32::from_str_radix(code, 16).ok()?;
        return char::from_u32(code).filter(|_| is_ideograph(code));
    }
    name.strip_prefix(SYLLABLE)?;
    let syllables = (FIRST_SYLLABLE..=LAST_SYLLABLE).filter_map(char::from_u32);
    syllables.map(Name).find(|syllable| syllable.to_string() == name).map(|Name(character)| character)
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = u32::from(self.0);
        if !is_syllable(code) {
            return write!(out, "{IDEOGRAPH}{code:X}");
        }
        let place = (code - FIRST_SYLLABLE) as usize;
        let (vowels, trailing) = (VOWELS.len(), TRAILING.len());
        let (leading, vowel, last) = (place / (vowels * trailing), place / trailing % vowels, place % trailing);
        write!(out, "{SYLLABLE}{}{}{}", LEADING[leading], VOWELS[vowel], TRAILING[last])
    }
}

fn is_ideograph(code: u32) -> bool {
    IDEOGRAPHS.iter().any(|(first, last)| (*first..=*last).contains(&code))
}

fn is_syllable(code: u32) -> bool {
    (FIRST_SYLLABLE..=LAST_SYLLABLE).contains(&code)
}
