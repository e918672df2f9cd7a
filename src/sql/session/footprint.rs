//! What a text says it does: its kind, the tables it names, and the columns of an UPDATE. From its syntax alone; nothing is looked up.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::sql::parser::ast::{self, ExprKind};
use crate::sql::parser::{self, Visited};
use crate::trace::StatementKind;

/// Names as they stand in the text, normalized, without their schemas and tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Footprint {
    pub kind: StatementKind,
    /// Tables it reads, those of subqueries too.
    pub reads: BTreeSet<Rc<str>>,
    /// Tables it writes. What foreign keys and cascades touch besides is not in the text.
    pub writes: BTreeSet<Rc<str>>,
    /// Columns an UPDATE sets.
    pub sets: BTreeSet<Rc<str>>,
    /// Columns its new values are made of.
    pub built_on: BTreeSet<Rc<str>>,
    /// Columns its condition asks about.
    pub asks: BTreeSet<Rc<str>>,
}

/// Of a text as a handler wrote it; one that is no SQL has the kind `Other`.
pub fn footprint(text: &str, with_parameters: bool) -> Footprint {
    let parsed = if with_parameters { parser::parse(&parser::number_placeholders(text)) } else { parser::parse(text) };
    match parsed.as_deref() {
        Ok([only]) => Footprint::of(&only.statement),
        _ => Footprint::new(StatementKind::Other),
    }
}

pub fn kind_of(statement: &ast::Statement) -> StatementKind {
    match statement {
        ast::Statement::Query(_) => StatementKind::Select,
        ast::Statement::Insert(_) => StatementKind::Insert,
        ast::Statement::Update(_) => StatementKind::Update,
        ast::Statement::Delete(_) => StatementKind::Delete,
        ast::Statement::Begin { .. } => StatementKind::Begin,
        ast::Statement::Commit { .. } => StatementKind::Commit,
        ast::Statement::Rollback { .. } => StatementKind::Rollback,
        ast::Statement::Savepoint(_) | ast::Statement::Release(_) | ast::Statement::RollbackTo(_) => {
            StatementKind::Savepoint
        }
        ast::Statement::SetTransaction(_)
        | ast::Statement::SetSessionTransaction(_)
        | ast::Statement::Set { .. }
        | ast::Statement::Reset(_) => StatementKind::Set,
        ast::Statement::CreateTable(_)
        | ast::Statement::CreateIndex(_)
        | ast::Statement::CreateSequence(_)
        | ast::Statement::AlterTable(_)
        | ast::Statement::Drop(_)
        | ast::Statement::Truncate(_)
        | ast::Statement::CommentOn(_) => StatementKind::Ddl,
        ast::Statement::Lock { .. } => StatementKind::Lock,
        ast::Statement::Analyze
        | ast::Statement::Show(_)
        | ast::Statement::Discard
        | ast::Statement::DiscardSequences
        | ast::Statement::Explain { .. }
        | ast::Statement::Refused(_) => StatementKind::Other,
    }
}

impl Footprint {
    pub fn of(statement: &ast::Statement) -> Footprint {
        let mut found = Footprint::new(kind_of(statement));
        tables_in(statement, &mut found);
        if let ast::Statement::Update(update) = statement {
            for assignment in &update.assignments {
                let (columns, values) = match assignment {
                    ast::Assignment::Column { column, value } => {
                        (std::slice::from_ref(column), std::slice::from_ref(value))
                    }
                    ast::Assignment::Row { columns, values } => (columns.as_slice(), values.as_slice()),
                };
                found.sets.extend(columns.iter().filter_map(|column| column.0.last()).map(|last| last.name.clone()));
                values.iter().for_each(|value| columns_in(value, &mut found.built_on));
            }
            update.selection.iter().for_each(|condition| columns_in(condition, &mut found.asks));
        }
        found
    }

    /// Of what names nothing.
    pub fn new(kind: StatementKind) -> Footprint {
        Footprint {
            kind,
            reads: BTreeSet::new(),
            writes: BTreeSet::new(),
            sets: BTreeSet::new(),
            built_on: BTreeSet::new(),
            asks: BTreeSet::new(),
        }
    }
}

fn tables_in(statement: &ast::Statement, into: &mut Footprint) {
    let mut named = Vec::new();
    let mut ctes = BTreeSet::new();
    statement.parts(&mut |part| match part {
        Visited::Relation(name) => named.extend(name.0.last().map(|last| last.name.clone())),
        Visited::Cte(name) => _ = ctes.insert(name.name.clone()),
        Visited::Expr(_) => {}
    });
    match statement {
        // The table that is written stands first.
        ast::Statement::Insert(_) => into.writes.extend(named.drain(..1)),
        ast::Statement::Update(_) | ast::Statement::Delete(_) => into.writes.extend(named.first().cloned()),
        _ => {}
    }
    into.reads.extend(named.into_iter().filter(|name| !ctes.contains(name)));
}

fn columns_in(expr: &ast::Expr, into: &mut BTreeSet<Rc<str>>) {
    expr.parts(&mut |part| {
        if let Visited::Expr(ast::Expr { kind: ExprKind::Column(name), .. }) = part {
            into.extend(name.0.last().map(|last| last.name.clone()));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::footprint;

    fn tables(text: &str) -> [Vec<String>; 2] {
        let found = footprint(text, true);
        [found.reads, found.writes].map(|names| names.iter().map(|name| name.to_string()).collect())
    }

    #[test]
    fn tables_are_those_the_text_names() {
        let cases = [
            ("SELECT * FROM a JOIN public.B ON EXISTS (SELECT 1 FROM c) WHERE x = %s", "a b c", ""),
            ("WITH w AS (SELECT 1 FROM a) SELECT * FROM w", "a", ""),
            ("INSERT INTO a SELECT * FROM b", "b", "a"),
            ("INSERT INTO a SELECT * FROM a", "a", "a"),
            ("INSERT INTO a VALUES (%s) ON CONFLICT (id) DO UPDATE SET n = (SELECT max(n) FROM b)", "b", "a"),
            ("UPDATE a SET n = b.n FROM b WHERE a.id = b.id", "a b", "a"),
            ("DELETE FROM a WHERE id IN (SELECT id FROM b)", "a b", "a"),
            ("COMMIT", "", ""),
        ];
        for (text, reads, writes) in cases {
            assert_eq!(tables(text).map(|names| names.join(" ")), [reads, writes], "{text}");
        }
    }
}
