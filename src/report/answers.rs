//! What each client was answered, in an order that another run on the same traffic shares: the third request of client 7 is the third
//! request of client 7 whatever the code did meanwhile. Two runs are laid beside each other by it.

use super::Answered;
use super::index::TraceIndex;
use crate::trace::{Micros, Trace};

pub fn answers(index: &TraceIndex, trace: &Trace, to: Micros) -> Vec<Answered> {
    let answered = index.requests_in(0, to).filter_map(|request| {
        let (client, answer) = (request.doer.client?, request.answer.filter(|answer| answer.at <= to)?);
        Some(Answered {
            client: client.0,
            turn: request.turn,
            request: request.doer.request.0,
            arguments: trace.strings.text(request.arguments).to_owned(),
            from_us: request.began,
            at_us: answer.at,
            status: answer.status,
        })
    });
    answered.collect()
}
