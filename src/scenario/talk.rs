//! A talk: what each beat says and does, and what therefore stands on the screen. Beats are told one after the other, and the state
//! of one follows from those before it, so that going back, going on and reloading show the same.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Change, ScenarioDocument, TimedChange};
use crate::trace::Micros;

/// One step of a live talk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Beat {
    pub sentence: String,
    /// For the speaker alone: what to point at, what to wait for.
    pub note: Option<String>,
    pub action: Option<BeatAction>,
    /// Where it begins. `None`: where the one before it stopped, or where the run had come to if that one looked back.
    #[serde(default)]
    pub at: Option<Moment>,
    /// It plays to there and stands. `None`: it stands where it begins.
    #[serde(default)]
    pub until: Option<Moment>,
    /// Virtual seconds a second.
    #[serde(default)]
    pub speed: Option<f64>,
    #[serde(default)]
    pub picture: Option<Picture>,
    #[serde(default)]
    pub lines: Option<CodeLines>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum BeatAction {
    /// Another run, of this variant or of the one that is deployed.
    Environment {
        environment: String,
        variant: Option<String>,
    },
    Variant {
        variant: String,
    },
    Knob {
        knob: String,
        value: f64,
    },
    Fault {
        fault: String,
        on: bool,
    },
}

/// A moment of a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
#[serde(untagged)]
pub enum Moment {
    Second(f64),
    Named(NamedMoment),
}

/// A moment that is found in the run, wherever it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum NamedMoment {
    /// Somebody waits for a lock.
    FirstWait,
    /// A rule is broken.
    FirstBreak,
    /// The ring of waits stands and the database has not found it yet.
    Deadlock,
    /// Of the run so far, where most clients stand on the beat's lines.
    Busiest,
    /// Its last.
    End,
}

impl NamedMoment {
    pub const ALL: [(&str, NamedMoment); 5] = [
        ("first-wait", NamedMoment::FirstWait),
        ("first-break", NamedMoment::FirstBreak),
        ("deadlock", NamedMoment::Deadlock),
        ("busiest", NamedMoment::Busiest),
        ("end", NamedMoment::End),
    ];
}

/// What stands beside the code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Picture {
    /// A metric over the run.
    Chart {
        metric: String,
    },
    View {
        view: View,
    },
    /// What went wrong of one kind: an invariant's or a metric's.
    Cases {
        of: String,
    },
}

/// The page's views of a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum View {
    Timeline,
    Locks,
    Tables,
    Cases,
    Queries,
    Log,
}

impl View {
    pub const ALL: [(&str, View); 6] = [
        ("timeline", View::Timeline),
        ("locks", View::Locks),
        ("tables", View::Tables),
        ("cases", View::Cases),
        ("queries", View::Queries),
        ("log", View::Log),
    ];
}

/// Lines of a file, from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CodeLines {
    pub file: String,
    pub lines: Vec<u32>,
}

/// What stands on the screen at a beat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Scene {
    pub environment: String,
    /// What the run begins with.
    pub variant: String,
    /// Those that differ from the environment's from the start.
    pub knobs: BTreeMap<String, f64>,
    pub changes: Vec<TimedChange>,
    /// What is deployed now.
    pub deployed: String,
    /// Where the beat begins.
    #[ts(type = "number")]
    pub from_us: Micros,
    /// Where it stands in the end.
    #[ts(type = "number")]
    pub until_us: Micros,
    pub speed: f64,
    pub picture: Picture,
    pub lines: Option<CodeLines>,
}

/// What is wrong with a beat, counted from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TalkMistake {
    pub beat: usize,
    pub what: String,
    pub remedy: String,
}

impl fmt::Display for TalkMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "beat {}: {}; {}", self.beat + 1, self.what, self.remedy)
    }
}

/// What stands on the screen at every beat. `find` looks for a named moment in a scene's run, of which the last argument was played.
pub fn scenes(
    document: &ScenarioDocument,
    mut find: impl FnMut(&Scene, NamedMoment, Micros) -> Result<Micros, String>,
) -> Result<Vec<Scene>, TalkMistake> {
    let mut talk = Talk { document, scene: first(document), played_us: 0 };
    let mut scenes = Vec::new();
    for (place, beat) in document.beats.iter().enumerate() {
        let told = talk.tell(beat, &mut find);
        scenes.push(told.map_err(|(what, remedy)| TalkMistake { beat: place, what, remedy })?);
    }
    Ok(scenes)
}

/// Where every talk begins: naive code on one's own machine.
fn first(document: &ScenarioDocument) -> Scene {
    let metrics = &document.metrics;
    let metric = metrics.iter().find(|metric| metric.headline).or(metrics.first()).map(|metric| metric.id.clone());
    let variant = document.summary.variants.first().cloned().unwrap_or_default();
    Scene {
        environment: document.summary.environments.first().cloned().unwrap_or_default(),
        deployed: variant.clone(),
        variant,
        knobs: BTreeMap::new(),
        changes: Vec::new(),
        from_us: 0,
        until_us: 0,
        speed: 1.0,
        picture: Picture::Chart { metric: metric.unwrap_or_default() },
        lines: None,
    }
}

struct Talk<'a> {
    document: &'a ScenarioDocument,
    scene: Scene,
    /// How far its run has come.
    played_us: Micros,
}

type TalkRefusal = (String, String);

impl Talk<'_> {
    fn tell(
        &mut self,
        beat: &Beat,
        find: &mut impl FnMut(&Scene, NamedMoment, Micros) -> Result<Micros, String>,
    ) -> Result<Scene, TalkRefusal> {
        let before = self.scene.deployed.clone();
        let change = beat.action.as_ref().and_then(|action| self.begin(action));
        self.scene.lines = match &beat.lines {
            Some(lines) => Some(lines.clone()),
            None => self.scene.lines.take().filter(|_| self.scene.deployed == before),
        };
        let moves = change.is_some() || beat.until.is_some();
        let default = if moves { self.played_us } else { self.scene.until_us };
        let from = self.moment(beat.at, default, find)?;
        if let Some(change) = change {
            self.change(from, change)?;
        }
        self.scene.from_us = from;
        self.scene.until_us = self.moment(beat.until, from, find)?;
        if self.scene.until_us < from {
            let what = format!("it plays from {} s back to {} s", seconds(from), seconds(self.scene.until_us));
            return Err((what, "let `until` be after `at`".into()));
        }
        self.played_us = self.played_us.max(self.scene.until_us);
        self.scene.speed = beat.speed.unwrap_or(1.0);
        if let Some(picture) = &beat.picture {
            self.scene.picture = picture.clone();
        }
        Ok(self.scene.clone())
    }

    /// Another run begins at once; a change of the running one is handed back, for the moment at which it is made.
    fn begin(&mut self, action: &BeatAction) -> Option<Change> {
        match action {
            BeatAction::Environment { environment, variant } => {
                let variant = variant.clone().unwrap_or_else(|| self.scene.deployed.clone());
                self.anew();
                (self.scene.environment, self.scene.variant) = (environment.clone(), variant.clone());
                self.scene.deployed = variant;
                self.scene.knobs.clear();
                self.scene.changes.clear();
                None
            }
            BeatAction::Variant { variant } => {
                self.scene.deployed = variant.clone();
                Some(Change::Variant { variant: variant.clone() })
            }
            BeatAction::Knob { knob, value } => {
                if self.document.knob(knob).is_some_and(|known| known.live) {
                    return Some(Change::Knob { knob: knob.clone(), value: *value });
                }
                self.anew();
                self.scene.knobs.insert(knob.clone(), *value);
                None
            }
            BeatAction::Fault { fault, on } => Some(Change::Fault { fault: fault.clone(), on: *on }),
        }
    }

    /// A run from nothing with what the last one came to.
    fn anew(&mut self) {
        for TimedChange { change, .. } in std::mem::take(&mut self.scene.changes) {
            match change {
                Change::Knob { knob, value } => _ = self.scene.knobs.insert(knob, value),
                Change::Fault { .. } => self.scene.changes.push(TimedChange { at_us: 0, change }),
                Change::Variant { .. } | Change::Source { .. } => {}
            }
        }
        self.scene.variant = self.scene.deployed.clone();
        self.scene.until_us = 0;
        self.played_us = 0;
    }

    fn change(&mut self, at_us: Micros, change: Change) -> Result<(), TalkRefusal> {
        if at_us < self.played_us {
            let what =
                format!("it changes the run at {} s, which has come to {} s", seconds(at_us), seconds(self.played_us));
            return Err((what, "let it be later, or let the beats before it play less far".into()));
        }
        match change {
            Change::Variant { variant } if at_us == 0 => self.scene.variant = variant,
            change => self.scene.changes.push(TimedChange { at_us, change }),
        }
        Ok(())
    }

    fn moment(
        &self,
        moment: Option<Moment>,
        default: Micros,
        find: &mut impl FnMut(&Scene, NamedMoment, Micros) -> Result<Micros, String>,
    ) -> Result<Micros, TalkRefusal> {
        let end = self.document.environment(&self.scene.environment).map_or(0.0, |environment| environment.length_s);
        match moment {
            None => Ok(default),
            Some(Moment::Named(NamedMoment::End)) => Ok(microseconds(end)),
            Some(Moment::Named(named)) => {
                let found = find(&self.scene, named, self.played_us);
                found.map_err(|what| (what, "name another moment, or a second of the run".into()))
            }
            Some(Moment::Second(second)) if (0.0..=end).contains(&second) => Ok(microseconds(second)),
            Some(Moment::Second(second)) => {
                Err((format!("{second} s is not in its run"), format!("write a number from 0 to {end}")))
            }
        }
    }
}

fn microseconds(seconds: f64) -> Micros {
    (seconds * 1e6).round() as Micros
}

fn seconds(at_us: Micros) -> f64 {
    at_us as f64 / 1e6
}
