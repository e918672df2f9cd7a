//! Every input that ever failed: `corpus.txt`, a script a paragraph, a statement a line. `#` begins a remark that names the script
//! after it, `2: ` a statement of the second session. `\n` and the like are escapes, and `⟨400×, 1⟩` stands for `, 1` four hundred times.

use crate::script::Script;

pub fn scripts() -> Vec<Script> {
    read(include_str!("corpus.txt"))
}

fn read(text: &str) -> Vec<Script> {
    let mut scripts = Vec::new();
    for paragraph in text.split("\n\n") {
        let mut script = Script { name: String::new(), statements: Vec::new() };
        for line in paragraph.lines() {
            match line.strip_prefix('#') {
                Some(remark) => script.name = remark.trim().to_owned(),
                None => {
                    let (session, sql) = match line.split_once(": ") {
                        Some((number @ ("1" | "2" | "3"), sql)) => (number.parse::<usize>().expect("seen") - 1, sql),
                        _ => (0, line),
                    };
                    script.statements.push((session, unescaped(&repeated(sql))));
                }
            }
        }
        if !script.statements.is_empty() {
            scripts.push(script);
        }
    }
    scripts
}

/// The innermost repetitions first.
fn repeated(sql: &str) -> String {
    let mut sql = sql.to_owned();
    while let Some(open) = sql.rfind('⟨') {
        let close = open + sql[open..].find('⟩').expect("every ⟨ has its ⟩");
        let (times, what) = sql[open + '⟨'.len_utf8()..close].split_once('×').expect("⟨times×what⟩");
        let many = what.repeat(times.parse().expect("⟨times×what⟩"));
        sql.replace_range(open..close + '⟩'.len_utf8(), &many);
    }
    sql
}

fn unescaped(sql: &str) -> String {
    sql.replace("\\n", "\n").replace("\\t", "\t").replace("\\0", "\0")
}

#[test]
fn repetitions_may_stand_in_repetitions() {
    assert_eq!(repeated("a⟨2×b⟨3×c⟩⟩d"), "abcccbcccd");
}
