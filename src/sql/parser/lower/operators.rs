//! Which operator takes which operands. The library groups operators by a table of its own, so its groups are undone: an expression
//! is taken as a sequence of operands and operators, and grouped by the precedences of PostgreSQL's gram.y. Nothing here recurses
//! but for the lower bound of BETWEEN, which holds no BETWEEN: a chain may be as long as it likes.

use std::rc::Rc;

use squawk_syntax::{SyntaxElement, SyntaxKind, SyntaxKind::*, SyntaxNode};

use super::super::ast::{BinaryOperator, Expr, ExprKind, Literal, LogicalOperator, Test, UnaryOperator};
use super::tree::{Tree, is_expression, start_of};
use super::{Lowering, Result, refuse};

/// The precedences of gram.y, the weakest first. What stands between two operators belongs to the stronger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Or,
    And,
    Not,
    Is,
    Comparison,
    Like,
    Escape,
    Other,
    Add,
    Multiply,
    Power,
    AtTimeZone,
    Sign,
    Cast,
}

impl Level {
    /// `a = b = c` is an error, as is `a LIKE b LIKE c`.
    fn is_associative(self) -> bool {
        !matches!(self, Level::Is | Level::Comparison | Level::Like | Level::Escape)
    }
}

/// An operator that waits for its right operand. Its left one lies under it.
struct Pending {
    level: Level,
    at: usize,
    kind: PendingKind,
}

enum PendingKind {
    Logical(LogicalOperator),
    Binary(BinaryOperator),
    Unary(UnaryOperator),
    Between {
        low: Box<Expr>,
        negated: bool,
    },
    Like {
        case_insensitive: bool,
        negated: bool,
    },
    /// With the pattern under it.
    LikeEscape {
        case_insensitive: bool,
        negated: bool,
    },
    IsDistinctFrom {
        negated: bool,
    },
    AtTimeZone,
    /// Its name, for what this engine does not offer.
    Refused(&'static str),
}

/// A sequence that is being grouped.
struct OperatorParser<'s> {
    pieces: &'s [SyntaxElement],
    /// The next piece.
    next: usize,
    operands: Vec<Expr>,
    pending: Vec<Pending>,
    /// `b_expr` of gram.y: without AND, NOT, IS, IN, LIKE, BETWEEN.
    restricted: bool,
}

impl Lowering<'_> {
    /// An expression: the nodes of it that stand beside each other in the tree.
    pub fn group(&self, nodes: &[SyntaxNode]) -> Result<Expr> {
        if let [node] = nodes
            && !is_operation(node)
        {
            return self.operand(node);
        }
        self.grouped(&mut OperatorParser::new(&pieces(nodes), false))
    }

    /// One that holds no AND, NOT, IS, IN and the like: NOT NULL may stand behind it.
    pub fn restricted(&self, node: &SyntaxNode) -> Result<Expr> {
        let nodes: Vec<SyntaxNode> = node.children().filter(|child| is_expression(child.kind())).collect();
        self.grouped(&mut OperatorParser::new(&pieces(&nodes), true))
    }

    fn grouped(&self, parser: &mut OperatorParser) -> Result<Expr> {
        loop {
            self.take_operand(parser)?;
            while self.take_postfix(parser)? {}
            if parser.next >= parser.pieces.len() {
                break;
            }
            self.take_infix(parser)?;
        }
        while let Some(pending) = parser.pending.pop() {
            self.reduce(pending, &mut parser.operands)?;
        }
        parser.operands.pop().map_or_else(|| self.unexpected(self.source.text.len()), Ok)
    }

    /// Prefix operators, then what they stand before.
    #[inline(never)]
    fn take_operand(&self, parser: &mut OperatorParser) -> Result<()> {
        loop {
            let Some(piece) = parser.take() else { return self.unexpected(parser.end(self.source.text.len())) };
            let at = start_of(&piece);
            let (level, operator) = match piece.kind() {
                NOT_KW if !parser.restricted => (Level::Not, UnaryOperator::Not),
                PLUS => (Level::Sign, UnaryOperator::Plus),
                MINUS => (Level::Sign, UnaryOperator::Minus),
                CUSTOM_OP => (Level::Other, unary_operator(&piece)),
                OPERATOR_CALL => return refuse("the OPERATOR() notation"),
                kind if is_expression(kind) => {
                    let node = piece.into_node().expect("an expression is a node");
                    parser.operands.push(self.operand(&node)?);
                    return Ok(());
                }
                _ => return self.unexpected(at),
            };
            parser.pending.push(Pending { level, at, kind: PendingKind::Unary(operator) });
        }
    }

    /// An operator that needs nothing to its right.
    #[inline(never)]
    fn take_postfix(&self, parser: &mut OperatorParser) -> Result<bool> {
        let Some(piece) = parser.peek(0) else { return Ok(false) };
        let (kind, at) = (piece.kind(), start_of(piece));
        match kind {
            COLON_COLON => self.take_cast(parser, at)?,
            COLLATE_KW => return refuse("COLLATE"),
            ISNULL_KW | NOTNULL_KW | IS_KW | IS_NOT if parser.restricted => return self.unexpected(at),
            ISNULL_KW | NOTNULL_KW => {
                self.make_room(parser, Level::Is, at)?;
                parser.next += 1;
                self.wrap(parser, at, |expr| ExprKind::Is { expr, test: Test::Null, negated: kind == NOTNULL_KW });
            }
            IS_KW | IS_NOT => {
                self.make_room(parser, Level::Is, at)?;
                parser.next += 1;
                let test = self.test(parser)?;
                self.wrap(parser, at, |expr| ExprKind::Is { expr, test, negated: kind == IS_NOT });
            }
            IN_KW | NOT_IN => {
                self.make_room(parser, Level::Like, at)?;
                parser.next += 1;
                self.take_list(parser, at, kind == NOT_IN)?;
            }
            IS_NORMALIZED | IS_NOT_NORMALIZED => return refuse("IS NORMALIZED"),
            AT_LOCAL => return self.unexpected(second_word(piece)),
            kind if is_json_test(kind) => return self.unexpected(second_word(piece)),
            _ => return self.take_quantified(parser),
        }
        Ok(true)
    }

    #[inline(never)]
    fn take_cast(&self, parser: &mut OperatorParser, at: usize) -> Result<()> {
        self.make_room(parser, Level::Cast, at)?;
        parser.next += 1;
        let Some(written) = parser.take().and_then(SyntaxElement::into_node) else { return self.unexpected(at) };
        let data_type = self.data_type(&written)?;
        self.wrap(parser, at, |expr| ExprKind::Cast { expr, data_type });
        Ok(())
    }

    /// What stands after IS.
    fn test(&self, parser: &mut OperatorParser) -> Result<Test> {
        let Some(piece) = parser.take() else { return self.unexpected(parser.end(self.source.text.len())) };
        let word = piece.as_node().and_then(SyntaxNode::first_token);
        match word.map(|token| token.kind()) {
            Some(NULL_KW) => Ok(Test::Null),
            Some(TRUE_KW) => Ok(Test::True),
            Some(FALSE_KW) => Ok(Test::False),
            Some(UNKNOWN_KW) => Ok(Test::Unknown),
            Some(DOCUMENT_KW) => refuse("IS DOCUMENT"),
            _ => self.unexpected(start_of(&piece)),
        }
    }

    #[inline(never)]
    fn take_list(&self, parser: &mut OperatorParser, at: usize, negated: bool) -> Result<()> {
        let Some(list) = parser.take().and_then(SyntaxElement::into_node) else { return self.unexpected(at) };
        if !matches!(list.kind(), PAREN_EXPR | TUPLE_EXPR) || list.has(ROW_KW) {
            return self.unexpected(list.start());
        }
        if let Some(query) = self.parenthesised_query(&list) {
            let subquery = query?;
            self.wrap(parser, at, |expr| ExprKind::InSubquery { expr, subquery, negated });
        } else {
            let list = self.expressions(&list)?;
            self.wrap(parser, at, |expr| ExprKind::InList { expr, list, negated });
        }
        Ok(())
    }

    /// `= ANY (…)`
    #[inline(never)]
    fn take_quantified(&self, parser: &mut OperatorParser) -> Result<bool> {
        let Some(quantifier) = parser.peek(1).and_then(quantifier) else { return Ok(false) };
        let Some(piece) = parser.peek(0).cloned() else { return Ok(false) };
        let at = start_of(&piece);
        let (op, level) = match piece.kind() {
            LIKE_KW => (BinaryOperator::Other(Rc::from("~~")), Level::Like),
            NOT_LIKE => (BinaryOperator::Other(Rc::from("!~~")), Level::Like),
            ILIKE_KW => (BinaryOperator::Other(Rc::from("~~*")), Level::Like),
            NOT_ILIKE => (BinaryOperator::Other(Rc::from("!~~*")), Level::Like),
            _ => match binary_operator(&piece) {
                Some(found) => found,
                None => return self.unexpected(quantifier.start()),
            },
        };
        self.make_room(parser, level, at)?;
        parser.next += 2;
        let all = quantifier.kind() == ALL_FN;
        if let Some(query) = self.parenthesised_query(&quantifier) {
            let subquery = query?;
            self.wrap(parser, at, |left| ExprKind::QuantifiedSubquery { left, op, all, subquery });
        } else {
            let array = Box::new(self.only_expression(&quantifier)?);
            self.wrap(parser, at, |left| ExprKind::Quantified { left, op, all, array });
        }
        Ok(true)
    }

    #[inline(never)]
    fn take_infix(&self, parser: &mut OperatorParser) -> Result<()> {
        let Some(piece) = parser.take() else { return Ok(()) };
        let at = start_of(&piece);
        let (level, kind) = match piece.kind() {
            OR_KW => (Level::Or, PendingKind::Logical(LogicalOperator::Or)),
            AND_KW => (Level::And, PendingKind::Logical(LogicalOperator::And)),
            IS_DISTINCT_FROM => (Level::Is, PendingKind::IsDistinctFrom { negated: false }),
            IS_NOT_DISTINCT_FROM => (Level::Is, PendingKind::IsDistinctFrom { negated: true }),
            LIKE_KW => (Level::Like, PendingKind::Like { case_insensitive: false, negated: false }),
            NOT_LIKE => (Level::Like, PendingKind::Like { case_insensitive: false, negated: true }),
            ILIKE_KW => (Level::Like, PendingKind::Like { case_insensitive: true, negated: false }),
            NOT_ILIKE => (Level::Like, PendingKind::Like { case_insensitive: true, negated: true }),
            SIMILAR_TO | NOT_SIMILAR_TO => (Level::Like, PendingKind::Refused("SIMILAR TO")),
            OVERLAPS_KW => (Level::Other, PendingKind::Refused("OVERLAPS")),
            OPERATOR_CALL => (Level::Other, PendingKind::Refused("the OPERATOR() notation")),
            AT_TIME_ZONE => (Level::AtTimeZone, PendingKind::AtTimeZone),
            ESCAPE_KW => return self.take_escape(parser, at),
            NOT_KW | BETWEEN_KW => return self.take_between(parser, &piece),
            _ => match binary_operator(&piece) {
                Some((operator, level)) => (level, PendingKind::Binary(operator)),
                None => return self.unexpected(at),
            },
        };
        self.make_room(parser, level, at)?;
        parser.pending.push(Pending { level, at, kind });
        Ok(())
    }

    /// ESCAPE belongs to the LIKE before it.
    fn take_escape(&self, parser: &mut OperatorParser, at: usize) -> Result<()> {
        self.make_room(parser, Level::Escape, at)?;
        match parser.pending.last_mut() {
            Some(Pending { kind: like @ PendingKind::Like { .. }, .. }) => {
                let PendingKind::Like { case_insensitive, negated } = *like else { unreachable!("matched above") };
                *like = PendingKind::LikeEscape { case_insensitive, negated };
                Ok(())
            }
            Some(Pending { kind: PendingKind::Refused("SIMILAR TO"), .. }) => refuse("SIMILAR TO"),
            _ => self.unexpected(at),
        }
    }

    #[inline(never)]
    fn take_between(&self, parser: &mut OperatorParser, first: &SyntaxElement) -> Result<()> {
        let at = start_of(first);
        let negated = first.kind() == NOT_KW;
        self.make_room(parser, Level::Like, at)?;
        if negated && parser.take().is_none_or(|piece| piece.kind() != BETWEEN_KW) {
            return self.unexpected(at);
        }
        match parser.peek(0).map(SyntaxElement::kind) {
            Some(SYMMETRIC) => return refuse("BETWEEN SYMMETRIC"),
            Some(ASYMMETRIC) => parser.next += 1,
            _ => {}
        }
        let rest = &parser.pieces[parser.next..];
        let Some(length) = rest.iter().position(|piece| piece.kind() == AND_KW) else {
            return self.unexpected(parser.end(self.source.text.len()));
        };
        let pieces = &rest[..length];
        let low = Box::new(self.grouped(&mut OperatorParser::new(pieces, true))?);
        parser.next += length + 1;
        parser.pending.push(Pending { level: Level::Like, at, kind: PendingKind::Between { low, negated } });
        Ok(())
    }

    /// What waits and is stronger than the operator at `at` gets its operand.
    fn make_room(&self, parser: &mut OperatorParser, level: Level, at: usize) -> Result<()> {
        if parser.restricted && matches!(level, Level::Or | Level::And | Level::Not | Level::Like | Level::AtTimeZone) {
            return self.unexpected(at);
        }
        while let Some(pending) = parser.pending.pop_if(|pending| pending.level >= level) {
            if pending.level == level && !level.is_associative() {
                return self.unexpected(at);
            }
            self.reduce(pending, &mut parser.operands)?;
        }
        Ok(())
    }

    fn wrap(&self, parser: &mut OperatorParser, at: usize, with: impl FnOnce(Box<Expr>) -> ExprKind) {
        let expr = parser.operands.pop().expect("an operator stands after an operand");
        parser.operands.push(Expr { kind: with(Box::new(expr)), at: self.at(at) });
    }

    #[inline(never)]
    fn reduce(&self, pending: Pending, operands: &mut Vec<Expr>) -> Result<()> {
        let at = self.at(pending.at);
        let mut right = Box::new(operands.pop().expect("an operator has its operands"));
        if let PendingKind::Unary(op) = pending.kind {
            operands.push(Expr { kind: ExprKind::Unary { op, expr: right }, at });
            return Ok(());
        }
        let mut escape = None;
        if matches!(pending.kind, PendingKind::LikeEscape { .. }) {
            escape = Some(constant(&right)?);
            right = Box::new(operands.pop().expect("ESCAPE stands after a pattern"));
        }
        let mut left = Box::new(operands.pop().expect("an operator has its operands"));
        let kind = match pending.kind {
            PendingKind::Logical(op) => match &mut left.kind {
                ExprKind::Logical { op: before, terms } if *before == op => {
                    terms.push(*right);
                    operands.push(*left);
                    return Ok(());
                }
                _ => ExprKind::Logical { op, terms: vec![*left, *right] },
            },
            PendingKind::Binary(op) => binary(left, op, right),
            PendingKind::Between { low, negated } => ExprKind::Between { expr: left, low, high: right, negated },
            PendingKind::Like { case_insensitive, negated } | PendingKind::LikeEscape { case_insensitive, negated } => {
                ExprKind::Like { expr: left, pattern: right, escape, case_insensitive, negated }
            }
            PendingKind::IsDistinctFrom { negated } => ExprKind::IsDistinctFrom { left, right, negated },
            PendingKind::AtTimeZone => ExprKind::AtTimeZone { timestamp: left, zone: right },
            PendingKind::Refused(what) => return refuse(what),
            PendingKind::Unary(_) => unreachable!("done above"),
        };
        operands.push(Expr { kind, at });
        Ok(())
    }
}

impl<'s> OperatorParser<'s> {
    fn new(pieces: &'s [SyntaxElement], restricted: bool) -> OperatorParser<'s> {
        OperatorParser { pieces, next: 0, operands: Vec::new(), pending: Vec::new(), restricted }
    }

    fn peek(&self, further: usize) -> Option<&SyntaxElement> {
        self.pieces.get(self.next + further)
    }

    fn take(&mut self) -> Option<SyntaxElement> {
        let piece = self.pieces.get(self.next).cloned();
        self.next += usize::from(piece.is_some());
        piece
    }

    /// Where the sequence ends.
    fn end(&self, otherwise: usize) -> usize {
        self.pieces.last().map_or(otherwise, |piece| u32::from(piece.text_range().end()) as usize)
    }
}

fn binary(left: Box<Expr>, op: BinaryOperator, right: Box<Expr>) -> ExprKind {
    let (case_insensitive, negated) = match &op {
        BinaryOperator::Other(written) => match &**written {
            "~~" => (false, false),
            "!~~" => (false, true),
            "~~*" => (true, false),
            "!~~*" => (true, true),
            _ => return ExprKind::Binary { left, op, right },
        },
        _ => return ExprKind::Binary { left, op, right },
    };
    ExprKind::Like { expr: left, pattern: right, escape: None, case_insensitive, negated }
}

/// The character of ESCAPE.
fn constant(expr: &Expr) -> Result<Rc<str>> {
    match &expr.kind {
        ExprKind::Literal(Literal::String(value)) => Ok(value.clone()),
        _ => refuse("ESCAPE with anything but a constant"),
    }
}

fn is_json_test(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        IS_JSON
            | IS_NOT_JSON
            | IS_JSON_ARRAY
            | IS_NOT_JSON_ARRAY
            | IS_JSON_OBJECT
            | IS_NOT_JSON_OBJECT
            | IS_JSON_SCALAR
            | IS_NOT_JSON_SCALAR
            | IS_JSON_VALUE
            | IS_NOT_JSON_VALUE
    )
}

/// Of words that make one operator. What PostgreSQL 15 does not know of them stands behind the first.
fn second_word(piece: &SyntaxElement) -> usize {
    let second = piece.as_node().and_then(|node| node.elements().nth(1));
    second.map_or_else(|| start_of(piece), |second| start_of(&second))
}

/// ANY, SOME or ALL with its parentheses.
fn quantifier(piece: &SyntaxElement) -> Option<SyntaxNode> {
    let first = piece.as_node().filter(|node| node.kind() == CALL_EXPR)?.first_child()?;
    matches!(first.kind(), ANY_FN | SOME_FN | ALL_FN).then_some(first)
}

fn written(piece: &SyntaxElement) -> Rc<str> {
    match piece {
        SyntaxElement::Node(node) => Rc::from(node.written()),
        SyntaxElement::Token(token) => Rc::from(token.text()),
    }
}

fn unary_operator(piece: &SyntaxElement) -> UnaryOperator {
    let written = written(piece);
    if &*written == "@" { UnaryOperator::Abs } else { UnaryOperator::Other(written) }
}

fn binary_operator(piece: &SyntaxElement) -> Option<(BinaryOperator, Level)> {
    Some(match piece.kind() {
        EQ => (BinaryOperator::Equal, Level::Comparison),
        NEQ | NEQB => (BinaryOperator::NotEqual, Level::Comparison),
        L_ANGLE => (BinaryOperator::Less, Level::Comparison),
        LTEQ => (BinaryOperator::LessEqual, Level::Comparison),
        R_ANGLE => (BinaryOperator::Greater, Level::Comparison),
        GTEQ => (BinaryOperator::GreaterEqual, Level::Comparison),
        PLUS => (BinaryOperator::Plus, Level::Add),
        MINUS => (BinaryOperator::Minus, Level::Add),
        STAR => (BinaryOperator::Multiply, Level::Multiply),
        SLASH => (BinaryOperator::Divide, Level::Multiply),
        PERCENT => (BinaryOperator::Modulo, Level::Multiply),
        CARET => (BinaryOperator::Other(Rc::from("^")), Level::Power),
        CUSTOM_OP => match &*written(piece) {
            "||" => (BinaryOperator::Concat, Level::Other),
            "->" => (BinaryOperator::Arrow, Level::Other),
            "->>" => (BinaryOperator::LongArrow, Level::Other),
            other => (BinaryOperator::Other(Rc::from(other)), Level::Other),
        },
        _ => return None,
    })
}

/// Whether a node is no operand but operators with their operands.
fn is_operation(node: &SyntaxNode) -> bool {
    match node.kind() {
        BIN_EXPR | PREFIX_EXPR | POSTFIX_EXPR | BETWEEN_EXPR | COLLATE => true,
        CAST_EXPR => node.has(COLON_COLON),
        _ => false,
    }
}

/// The operands and operators in the order they are written.
fn pieces(nodes: &[SyntaxNode]) -> Vec<SyntaxElement> {
    let mut found = Vec::new();
    let mut open: Vec<SyntaxElement> = nodes.iter().rev().cloned().map(SyntaxElement::Node).collect();
    while let Some(element) = open.pop() {
        match element.as_node() {
            Some(node) if is_operation(node) => {
                let children: Vec<SyntaxElement> = node.elements().collect();
                open.extend(children.into_iter().rev());
            }
            _ => found.push(element),
        }
    }
    found
}
