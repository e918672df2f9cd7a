//! Which text the engine of this thread works on. Where a panic aborts, as in the page, whoever starts it anew asks here what it was.

use std::cell::Cell;
use std::rc::Rc;

thread_local! {
    static TEXT: Cell<Option<Rc<str>>> = const { Cell::new(None) };
}

/// As much of a text as fits a message.
const SHOWN: usize = 200;

/// Says so for as long as it lives.
pub struct InWork;

impl InWork {
    pub fn on(text: Rc<str>) -> InWork {
        TEXT.set(Some(text));
        InWork
    }
}

impl Drop for InWork {
    fn drop(&mut self) {
        TEXT.set(None);
    }
}

/// The statement in work, shortened. `None`: the engine is not at a statement.
pub fn statement_in_work() -> Option<String> {
    let text = TEXT.take()?;
    let shown = match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    };
    TEXT.set(Some(text));
    Some(shown)
}

#[cfg(test)]
mod tests {
    use super::{InWork, SHOWN, statement_in_work};

    #[test]
    fn a_text_is_told_while_it_is_in_work() {
        {
            let _in_work = InWork::on("SELECT 1".into());
            assert_eq!(statement_in_work().as_deref(), Some("SELECT 1"));
            assert_eq!(statement_in_work().as_deref(), Some("SELECT 1"));
        }
        assert_eq!(statement_in_work(), None);
        let _in_work = InWork::on("é".repeat(SHOWN + 1).into());
        assert_eq!(statement_in_work(), Some(format!("{}…", "é".repeat(SHOWN))));
    }
}
