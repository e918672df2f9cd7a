//! What a run amounts to, in words.

use twoam::api::{RunSummary, Verdict};

use super::screen;

/// A whole sentence.
pub fn sentence(summary: &RunSummary) -> String {
    if let Some(useless) = useless(summary) {
        return useless;
    }
    let broken = summary.invariants.iter().filter(|invariant| invariant.broken > 0).count();
    match summary.verdict {
        Verdict::Broken => {
            format!("broken: {} of {}", broken, screen::counted(summary.invariants.len() as u32, "invariant"))
        }
        // Broken before, by code that was replaced.
        Verdict::Holds if broken > 0 => "holds since the last deploy".to_owned(),
        Verdict::Holds => "holds: no invariant was broken".to_owned(),
        Verdict::NotMeasured => "not measured: no invariant reads what this code writes".to_owned(),
        Verdict::Open | Verdict::NothingUseful => {
            "not measured: the code deployed last has answered no request".to_owned()
        }
    }
}

/// Why nothing useful came of the run.
pub fn useless(summary: &RunSummary) -> Option<String> {
    let also = if summary.verdict == Verdict::Broken { "broken, and " } else { "" };
    let requests = &summary.requests;
    let answered = requests.ok + requests.failed;
    if answered == 0 {
        let until = screen::seconds(summary.virtual_us);
        let sent = screen::counted(requests.started, "request");
        return Some(format!("{also}does nothing useful: {sent} sent, none answered within {until}"));
    }
    if requests.ok == 0 {
        return Some(format!("{also}does nothing useful: all of {} failed", screen::counted(answered, "request")));
    }
    (summary.verdict == Verdict::NothingUseful).then(|| {
        format!("does nothing useful: none of {} has a status from 200 to 399", screen::counted(answered, "answer"))
    })
}

/// A few words, for a table.
pub fn short(summary: &RunSummary) -> String {
    if useless(summary).is_some() {
        return "does nothing useful".to_owned();
    }
    match summary.verdict {
        Verdict::Broken => {
            let broken = summary.invariants.iter().filter(|invariant| invariant.broken > 0);
            let cases = broken.map(|invariant| format!("{}: {}", invariant.id, invariant.broken));
            format!("BROKEN {}", cases.collect::<Vec<_>>().join(", "))
        }
        Verdict::Holds => "holds".to_owned(),
        Verdict::NotMeasured | Verdict::Open | Verdict::NothingUseful => "not measured".to_owned(),
    }
}
