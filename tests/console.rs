//! The console's sessions, as the page drives them.

use twoam::api::{Console, ConsoleOutput, ConsoleState};

const EMPTY: [&str; 5] = ["", ";", "-- only a comment", ";;", "/* nothing */ ;"];

#[test]
fn a_text_without_a_statement_shows_nothing_and_changes_nothing() {
    let mut console = Console::new("CREATE TABLE things (id INTEGER PRIMARY KEY)", 1, 0).expect("the setup runs");
    for text in EMPTY {
        assert_eq!(console.execute(0, text, 1), [], "{text:?}");
        assert_eq!(console.sessions()[0].state, ConsoleState::Idle);
    }
    console.execute(0, "BEGIN", 2);
    for text in EMPTY {
        assert_eq!(console.execute(0, text, 3), [], "{text:?}");
        assert_eq!(console.sessions()[0].state, ConsoleState::InTransaction);
    }
    let replies = console.execute(0, "SELECT nothing", 4);
    assert!(matches!(&replies[0].output, ConsoleOutput::Error { sqlstate, .. } if sqlstate == "42703"), "{replies:?}");
    for text in EMPTY {
        assert_eq!(console.execute(0, text, 5), [], "{text:?}");
        assert_eq!(console.sessions()[0].state, ConsoleState::Failed, "{text:?} ends no transaction");
    }
    console.execute(0, "; ROLLBACK;", 6);
    assert_eq!(console.sessions()[0].state, ConsoleState::Idle);
}
