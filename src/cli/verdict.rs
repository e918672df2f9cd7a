//! What a run amounts to, in words.

use twoam::api::{RunSummary, Verdict};
use twoam::scenario::ScenarioDocument;

use super::terminal;

/// A whole sentence.
pub fn sentence(document: &ScenarioDocument, summary: &RunSummary) -> String {
    if let Some(useless) = useless(summary) {
        return useless;
    }
    let broken = broken_invariants(summary);
    match summary.verdict {
        Verdict::Broken => {
            let all = terminal::counted(summary.invariants.len() as u32, "invariant");
            let rules = (broken > 0).then(|| format!("{broken} of {all}"));
            let said = rules.into_iter().chain(damage(document, summary)).collect::<Vec<_>>();
            format!("broken: {}", said.join("; "))
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

fn broken_invariants(summary: &RunSummary) -> usize {
    summary.invariants.iter().filter(|invariant| invariant.broken > 0).count()
}

/// Whether each invariant that was not broken has held: not where code was not seen at work, nor where there is damage before any
/// invariant can tell, since requests are still on their way.
pub fn has_held(summary: &RunSummary) -> bool {
    match summary.verdict {
        Verdict::Holds => true,
        Verdict::Broken => broken_invariants(summary) > 0,
        Verdict::Open | Verdict::NothingUseful | Verdict::NotMeasured => false,
    }
}

/// What went wrong as the scenario counts it, if anything did: `40 units sold that do not exist`.
pub fn damage(document: &ScenarioDocument, summary: &RunSummary) -> Option<String> {
    let damage = document.damage.as_ref()?;
    let (count, shown) = match document.damage_metric() {
        Some(place) => {
            // What one stretch did another may have mended.
            let count = summary.stretches.iter().map(|stretch| stretch.metrics[place].max(0.0)).sum();
            (count, terminal::value(&document.metrics[place], Some(count)))
        }
        None => {
            let invariant = summary.invariants.iter().find(|invariant| invariant.id == damage.of)?;
            (f64::from(invariant.broken), terminal::grouped(invariant.broken.into()))
        }
    };
    match &damage.one {
        _ if count <= 0.0 => None,
        Some(one) if count == 1.0 => Some(one.clone()),
        _ => Some(damage.sentence.replace("{n}", &shown)),
    }
}

/// Why nothing useful came of the run.
pub fn useless(summary: &RunSummary) -> Option<String> {
    let also = if summary.verdict == Verdict::Broken { "broken, and " } else { "" };
    let requests = &summary.requests;
    let answered = requests.ok + requests.failed;
    if answered == 0 {
        let until = terminal::seconds(summary.virtual_us);
        let sent = terminal::counted(requests.started, "request");
        return Some(format!("{also}does nothing useful: {sent} sent, none answered within {until}"));
    }
    if requests.ok == 0 {
        return Some(format!("{also}does nothing useful: all of {} failed", terminal::counted(answered, "request")));
    }
    (summary.verdict == Verdict::NothingUseful).then(|| {
        format!("does nothing useful: none of {} has a status from 200 to 399", terminal::counted(answered, "answer"))
    })
}

/// A few words, for a table.
pub fn short(document: &ScenarioDocument, summary: &RunSummary) -> String {
    if useless(summary).is_some() {
        return "does nothing useful".to_owned();
    }
    match summary.verdict {
        Verdict::Broken => {
            let broken = summary.invariants.iter().filter(|invariant| invariant.broken > 0);
            let cases = broken.map(|invariant| format!("{}: {}", invariant.id, invariant.broken));
            let cases = cases.collect::<Vec<_>>().join(", ");
            let damage = || damage(document, summary).unwrap_or_default();
            format!("BROKEN {}", if cases.is_empty() { damage() } else { cases })
        }
        Verdict::Holds => "holds".to_owned(),
        Verdict::NotMeasured | Verdict::Open | Verdict::NothingUseful => "not measured".to_owned(),
    }
}
