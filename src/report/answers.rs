//! What each client was answered, in an order that another run on the same traffic shares: the third request of client 7 is the third
//! request of client 7 whatever the code did meanwhile. Two runs are laid beside each other by it.

use std::collections::BTreeMap;

use super::Answered;
use crate::trace::{ClientId, EventKind, Micros, RequestId, Symbol, Trace};

pub fn answers(trace: &Trace, to: Micros) -> Vec<Answered> {
    let mut asked: BTreeMap<ClientId, u32> = BTreeMap::new();
    let mut open: BTreeMap<RequestId, (ClientId, u32, Symbol, Micros)> = BTreeMap::new();
    let mut answers = vec![];
    for event in trace.events().take_while(|event| event.at <= to) {
        let Some(request) = event.request else { continue };
        match &event.kind {
            EventKind::RequestStarted { client: Some(client), arguments, .. } => {
                let turn = asked.entry(*client).or_default();
                *turn += 1;
                open.insert(request, (*client, *turn, *arguments, event.at));
            }
            EventKind::RequestFinished { status, .. } => {
                if let Some((client, turn, arguments, began)) = open.remove(&request) {
                    answers.push(Answered {
                        client: client.0,
                        turn,
                        request: request.0,
                        arguments: trace.strings.text(arguments).to_owned(),
                        from_us: began,
                        at_us: event.at,
                        status: *status,
                    });
                }
            }
            _ => {}
        }
    }
    answers
}
