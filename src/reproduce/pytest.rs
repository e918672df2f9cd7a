//! A reproduction as a Python file: a pytest test, and a program that prints each step.

use std::fmt::Write;

use super::{Answer, Cell, Reproduction};

const PROGRAM: &str = include_str!("replay.py");

pub fn written(of: &Reproduction) -> String {
    let sentence = format!("{}: {}.", of.title, of.sentence.trim_end_matches('.'));
    let mut facts = String::from("SETUP = [\n");
    for sql in &of.setup {
        let _ = writeln!(facts, "    {},", text(sql));
    }
    facts += "]\n\n# Session, statement, what it gives. A step that waits gives it later.\nSTEPS = [\n";
    for step in &of.steps {
        let gives = match &step.answer {
            Answer::Done { rows: Some(found), .. } => rows(found),
            Answer::Done { rows: None, .. } => "None".to_owned(),
            Answer::Failed(sqlstate) => format!("Fails({})", text(sqlstate.as_str())),
            Answer::Pending => "PENDING".to_owned(),
        };
        let gives = if step.waits { format!("Waits({gives})") } else { gives };
        let _ = writeln!(facts, "    ({}, {}, {gives}),", text(&of.sessions[step.session]), text(&step.sql));
    }
    let _ = write!(
        facts,
        "]\n\n# Must return no rows.\nINVARIANT = {}\n\nBROKEN = {}\n",
        text(&of.invariant),
        rows(&of.broken)
    );
    PROGRAM.replace("SENTENCE", &sentence).replace("SCHEDULE", &of.schedule).replace("# FACTS\n", &facts)
}

fn rows(rows: &[Vec<Cell>]) -> String {
    let cell = |cell: &Cell| match cell {
        Cell::Null => "None".to_owned(),
        Cell::Text(value) => text(value),
        Cell::Any => "ANY".to_owned(),
    };
    let row = |row: &Vec<Cell>| format!("({},)", row.iter().map(cell).collect::<Vec<_>>().join(", "));
    format!("[{}]", rows.iter().map(row).collect::<Vec<_>>().join(", "))
}

/// A string of JSON is a string of Python, but for what lies beyond the basic plane.
fn text(text: &str) -> String {
    if text.contains('\n') && !text.contains('\\') && !text.contains("\"\"\"") && !text.ends_with('"') {
        return format!("\"\"\"{text}\"\"\"");
    }
    serde_json::Value::from(text).to_string()
}
