//! Expressions whose names and types are resolved, and how they are computed. They read rows that stand in slots; whose rows these
//! are, and how a subquery is answered, is known to the one who asks.

mod eval;
mod slots;

pub use eval::{EvalEnv, OneRow, eval, eval_all, holds};
pub use slots::SlotSet;

use std::cmp::Ordering;
use std::rc::Rc;

use crate::sql::functions::{FunctionSpec, Volatility};
use crate::sql::types::Type;
use crate::trace::Value;

#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    Const(Value),
    Parameter(usize),
    /// A column of the row that stands in a slot of the statement's frame.
    Column {
        slot: u16,
        column: u16,
    },
    Arithmetic {
        op: Arithmetic,
        kind: Type,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    Negate {
        kind: Type,
        of: Box<Expr>,
    },
    Compare {
        op: Comparison,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    IsNull {
        of: Box<Expr>,
        negated: bool,
    },
    /// IS [NOT] TRUE, IS [NOT] FALSE.
    IsTruth {
        of: Box<Expr>,
        truth: bool,
        negated: bool,
    },
    Distinct {
        left: Box<Expr>,
        right: Box<Expr>,
        negated: bool,
    },
    InList {
        of: Box<Expr>,
        list: Vec<Expr>,
        negated: bool,
    },
    /// `op ANY (array)`, `op ALL (array)`.
    Quantified {
        op: Comparison,
        all: bool,
        left: Box<Expr>,
        array: Box<Expr>,
    },
    Case {
        arms: Vec<(Expr, Expr)>,
        otherwise: Option<Box<Expr>>,
    },
    Coalesce(Vec<Expr>),
    Cast {
        of: Box<Expr>,
        from: Type,
        to: Type,
        explicit: bool,
    },
    Like {
        of: Box<Expr>,
        pattern: Box<Expr>,
        escape: Option<char>,
        fold: bool,
        negated: bool,
    },
    Call {
        function: &'static FunctionSpec,
        arguments: Vec<Expr>,
    },
    Array(Vec<Expr>),
    Subquery(Rc<Subquery>),
}

/// A subquery as the expression around it knows it. Its query stands in the statement's list, in the place of its number.
pub struct Subquery {
    pub number: usize,
    pub kind: SubqueryKind,
    /// What is compared with the rows.
    pub left: Option<Expr>,
    /// Slots of the outer query it reads: none means it is computed once.
    pub outer: SlotSet,
    pub volatile: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubqueryKind {
    Scalar,
    Exists,
    /// `left op ANY (…)`; IN is `= ANY`, NOT IN is `<> ALL`.
    Any(Comparison),
    All(Comparison),
    Array,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

impl Comparison {
    pub fn holds(self, ordering: Ordering) -> bool {
        match self {
            Comparison::Equal => ordering.is_eq(),
            Comparison::NotEqual => ordering.is_ne(),
            Comparison::Less => ordering.is_lt(),
            Comparison::LessEqual => ordering.is_le(),
            Comparison::Greater => ordering.is_gt(),
            Comparison::GreaterEqual => ordering.is_ge(),
        }
    }

    /// The same with its sides exchanged.
    pub fn mirrored(self) -> Comparison {
        match self {
            Comparison::Less => Comparison::Greater,
            Comparison::LessEqual => Comparison::GreaterEqual,
            Comparison::Greater => Comparison::Less,
            Comparison::GreaterEqual => Comparison::LessEqual,
            same => same,
        }
    }

    pub fn symbol(self) -> &'static str {
        match self {
            Comparison::Equal => "=",
            Comparison::NotEqual => "<>",
            Comparison::Less => "<",
            Comparison::LessEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterEqual => ">=",
        }
    }
}

impl Arithmetic {
    pub fn symbol(self) -> &'static str {
        match self {
            Arithmetic::Add => "+",
            Arithmetic::Subtract => "-",
            Arithmetic::Multiply => "*",
            Arithmetic::Divide => "/",
            Arithmetic::Remainder => "%",
        }
    }
}

impl PartialEq for Subquery {
    fn eq(&self, other: &Subquery) -> bool {
        self.number == other.number
    }
}

impl std::fmt::Debug for Subquery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "subquery {}", self.number)
    }
}

impl Expr {
    pub fn and(mut conditions: Vec<Expr>) -> Option<Expr> {
        match conditions.len() {
            0 => None,
            1 => conditions.pop(),
            _ => Some(Expr::And(conditions)),
        }
    }

    /// Splits at top-level ANDs.
    pub fn conjuncts(self, into: &mut Vec<Expr>) {
        match self {
            Expr::And(parts) => parts.into_iter().for_each(|part| part.conjuncts(into)),
            other => into.push(other),
        }
    }

    pub fn children(&self) -> Vec<&Expr> {
        match self {
            Expr::Const(_) | Expr::Parameter(_) | Expr::Column { .. } => Vec::new(),
            Expr::Arithmetic { left, right, .. }
            | Expr::Compare { left, right, .. }
            | Expr::Distinct { left, right, .. }
            | Expr::Quantified { left, array: right, .. }
            | Expr::Like { of: left, pattern: right, .. } => vec![left, right],
            Expr::Negate { of, .. }
            | Expr::Not(of)
            | Expr::IsNull { of, .. }
            | Expr::IsTruth { of, .. }
            | Expr::Cast { of, .. } => vec![of],
            Expr::And(parts) | Expr::Or(parts) | Expr::Coalesce(parts) | Expr::Array(parts) => parts.iter().collect(),
            Expr::Call { arguments, .. } => arguments.iter().collect(),
            Expr::InList { of, list, .. } => std::iter::once(&**of).chain(list).collect(),
            Expr::Case { arms, otherwise } => {
                arms.iter().flat_map(|(when, then)| [when, then]).chain(otherwise.as_deref()).collect()
            }
            Expr::Subquery(subquery) => subquery.left.iter().collect(),
        }
    }

    pub fn children_mut(&mut self) -> Vec<&mut Expr> {
        match self {
            Expr::Const(_) | Expr::Parameter(_) | Expr::Column { .. } | Expr::Subquery(_) => Vec::new(),
            Expr::Arithmetic { left, right, .. }
            | Expr::Compare { left, right, .. }
            | Expr::Distinct { left, right, .. }
            | Expr::Quantified { left, array: right, .. }
            | Expr::Like { of: left, pattern: right, .. } => vec![left, right],
            Expr::Negate { of, .. }
            | Expr::Not(of)
            | Expr::IsNull { of, .. }
            | Expr::IsTruth { of, .. }
            | Expr::Cast { of, .. } => vec![of],
            Expr::And(parts) | Expr::Or(parts) | Expr::Coalesce(parts) | Expr::Array(parts) => {
                parts.iter_mut().collect()
            }
            Expr::Call { arguments, .. } => arguments.iter_mut().collect(),
            Expr::InList { of, list, .. } => std::iter::once(&mut **of).chain(list).collect(),
            Expr::Case { arms, otherwise } => {
                arms.iter_mut().flat_map(|(when, then)| [when, then]).chain(otherwise.as_deref_mut()).collect()
            }
        }
    }

    /// The slots the expression reads, those its subqueries take from outside included.
    pub fn slots(&self) -> SlotSet {
        match self {
            Expr::Column { slot, .. } => SlotSet::one(*slot),
            Expr::Subquery(subquery) => {
                self.children().into_iter().fold(subquery.outer, |slots, child| slots.union(child.slots()))
            }
            other => other.children().into_iter().fold(SlotSet::NONE, |slots, child| slots.union(child.slots())),
        }
    }

    pub fn any(&self, test: &dyn Fn(&Expr) -> bool) -> bool {
        test(self) || self.children().into_iter().any(|child| child.any(test))
    }

    pub fn is_volatile(&self) -> bool {
        self.any(&|expr| match expr {
            Expr::Call { function, .. } => function.volatility == Volatility::Volatile,
            Expr::Subquery(subquery) => subquery.volatile,
            _ => false,
        })
    }

    /// Moves every column of one slot to another.
    pub fn move_slot(&mut self, from: u16, to: u16) {
        if let Expr::Column { slot, .. } = self
            && *slot == from
        {
            *slot = to;
        }
        for child in self.children_mut() {
            child.move_slot(from, to);
        }
    }
}
