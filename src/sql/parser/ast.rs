//! What a statement says: PostgreSQL's grammar without its spellings. Names are normalized as PostgreSQL does it, parentheses are
//! gone, a type has one name however it was written. Nothing is known here of tables, types or functions.

use std::rc::Rc;

use crate::store::Mode;
use crate::trace::{Isolation, LockStrength};

/// The 1-based character of the text at which something begins. Where it stands is no part of what it says: two
/// expressions with the same words are equal.
#[derive(Debug, Clone, Copy, Default)]
pub struct CursorPosition(pub u32);

impl PartialEq for CursorPosition {
    fn eq(&self, _: &CursorPosition) -> bool {
        true
    }
}

impl Eq for CursorPosition {}

/// Folded to lower case, unless it was quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ident {
    pub name: Rc<str>,
    pub at: CursorPosition,
}

/// `name`, `schema.name`, `table.column`, `database.schema.name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectName(pub Vec<Ident>);

#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    Query(Box<Query>),
    Insert(Box<Insert>),
    Update(Box<Update>),
    Delete(Box<Delete>),
    CreateTable(Box<CreateTable>),
    CreateIndex(Box<CreateIndex>),
    CreateSequence(CreateSequence),
    AlterTable(AlterTable),
    Drop(Drop),
    Truncate(Truncate),
    CommentOn(Commented),
    Analyze,
    /// BEGIN, or START TRANSACTION: the command tag tells which was written.
    Begin {
        tag: &'static str,
        modes: TransactionModes,
    },
    Commit {
        chain: bool,
    },
    Rollback {
        chain: bool,
    },
    Savepoint(Rc<str>),
    Release(Rc<str>),
    RollbackTo(Rc<str>),
    SetTransaction(TransactionModes),
    SetSessionTransaction(TransactionModes),
    /// `None`: back to the default.
    Set {
        name: String,
        value: Option<String>,
        local: bool,
    },
    Reset(String),
    Show(String),
    Lock {
        tables: Vec<Rc<str>>,
        mode: Mode,
        nowait: bool,
    },
    Discard,
    DiscardSequences,
    Explain {
        analyze: bool,
        costs: bool,
        statement: Box<Statement>,
    },
    /// PostgreSQL takes it, this engine does not: what it is called, for the error that comes when its turn comes.
    Refused(String),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TransactionModes {
    pub isolation: Option<Isolation>,
    pub read_only: Option<bool>,
    pub deferrable: Option<bool>,
}

// Queries

#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    pub with: Option<With>,
    pub body: SetExpr,
    pub order_by: Vec<OrderByExpr>,
    /// `None`: LIMIT ALL, or none.
    pub limit: Option<Expr>,
    pub offset: Option<Expr>,
    pub locks: Vec<LockClause>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct With {
    pub recursive: bool,
    pub ctes: Vec<Cte>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Cte {
    pub alias: TableAlias,
    /// As it was asked for.
    pub materialized: Option<bool>,
    pub query: Query,
}

#[derive(Debug, Clone, PartialEq)]
pub enum SetExpr {
    Select(Box<Select>),
    /// With clauses of its own, in parentheses.
    Query(Box<Query>),
    Values(Vec<Vec<Expr>>),
    SetOperation {
        op: SetOperator,
        all: bool,
        left: Box<SetExpr>,
        right: Box<SetExpr>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetOperator {
    Union,
    Intersect,
    Except,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Select {
    pub distinct: Option<Distinct>,
    pub projection: Vec<SelectItem>,
    pub from: Vec<TableWithJoins>,
    pub selection: Option<Expr>,
    pub group_by: Vec<Expr>,
    pub having: Option<Expr>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Distinct {
    Rows,
    On(Vec<Expr>),
}

#[derive(Debug, Clone, PartialEq)]
pub enum SelectItem {
    Expr { expr: Expr, alias: Option<Ident> },
    Wildcard,
    QualifiedWildcard(ObjectName),
}

#[derive(Debug, Clone, PartialEq)]
pub struct TableWithJoins {
    pub relation: TableFactor,
    pub joins: Vec<Join>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Join {
    pub relation: TableFactor,
    pub kind: JoinType,
    pub constraint: JoinConstraint,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinType {
    Inner,
    Left,
    Right,
    Full,
}

#[derive(Debug, Clone, PartialEq)]
pub enum JoinConstraint {
    On(Expr),
    Using(Vec<Ident>),
    Natural,
    /// CROSS JOIN.
    None,
}

#[derive(Debug, Clone, PartialEq)]
pub enum TableFactor {
    Table {
        name: ObjectName,
        alias: Option<TableAlias>,
    },
    Function {
        name: ObjectName,
        arguments: Vec<Expr>,
        alias: Option<TableAlias>,
    },
    Derived {
        lateral: bool,
        query: Box<Query>,
        alias: Option<TableAlias>,
    },
    /// A join in parentheses.
    Nested(Box<TableWithJoins>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct TableAlias {
    pub name: Ident,
    pub columns: Vec<Ident>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct OrderByExpr {
    pub expr: Expr,
    pub descending: bool,
    pub nulls_first: Option<bool>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct LockClause {
    pub strength: LockStrength,
    /// All relations of FROM, if none is named.
    pub of: Vec<Ident>,
    pub wait: LockWaitPolicy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockWaitPolicy {
    Block,
    NoWait,
    SkipLocked,
}

// Expressions

#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    pub kind: ExprKind,
    /// Where PostgreSQL points to in an error about it: of an operator the operator, of everything else the beginning.
    pub at: CursorPosition,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    Column(ObjectName),
    Literal(Literal),
    /// `$1` is 1.
    Parameter(usize),
    /// DEFAULT in VALUES and SET.
    Default,
    /// `date '2024-01-01'`.
    TypedString {
        data_type: DataType,
        value: Rc<str>,
        value_at: CursorPosition,
    },
    /// A chain of AND or of OR, however long: people join a thousand of them.
    Logical {
        op: LogicalOperator,
        terms: Vec<Expr>,
    },
    Binary {
        left: Box<Expr>,
        op: BinaryOperator,
        right: Box<Expr>,
    },
    Unary {
        op: UnaryOperator,
        expr: Box<Expr>,
    },
    Is {
        expr: Box<Expr>,
        test: Test,
        negated: bool,
    },
    IsDistinctFrom {
        left: Box<Expr>,
        right: Box<Expr>,
        negated: bool,
    },
    InList {
        expr: Box<Expr>,
        list: Vec<Expr>,
        negated: bool,
    },
    InSubquery {
        expr: Box<Expr>,
        subquery: Box<Query>,
        negated: bool,
    },
    Between {
        expr: Box<Expr>,
        low: Box<Expr>,
        high: Box<Expr>,
        negated: bool,
    },
    Like {
        expr: Box<Expr>,
        pattern: Box<Expr>,
        /// A constant; `None`: the backslash. The empty text: none.
        escape: Option<Rc<str>>,
        case_insensitive: bool,
        negated: bool,
    },
    /// `left op ANY (array)`.
    Quantified {
        left: Box<Expr>,
        op: BinaryOperator,
        all: bool,
        array: Box<Expr>,
    },
    QuantifiedSubquery {
        left: Box<Expr>,
        op: BinaryOperator,
        all: bool,
        subquery: Box<Query>,
    },
    Cast {
        expr: Box<Expr>,
        data_type: DataType,
    },
    AtTimeZone {
        timestamp: Box<Expr>,
        zone: Box<Expr>,
    },
    Case {
        operand: Option<Box<Expr>>,
        arms: Vec<(Expr, Expr)>,
        otherwise: Option<Box<Expr>>,
    },
    Exists(Box<Query>),
    Subquery(Box<Query>),
    ArraySubquery(Box<Query>),
    Array(Vec<Expr>),
    /// `(a, b)` or `ROW(a, b)`.
    Row(Vec<Expr>),
    Function(Box<Function>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// As it was written, without underscores: its scale counts.
    Number(Rc<str>),
    String(Rc<str>),
    Bool(bool),
    Null,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    Null,
    True,
    False,
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogicalOperator {
    And,
    Or,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BinaryOperator {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Plus,
    Minus,
    Multiply,
    Divide,
    Modulo,
    Concat,
    /// `->`
    Arrow,
    /// `->>`
    LongArrow,
    /// Any other, as it was written.
    Other(Rc<str>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnaryOperator {
    Not,
    Plus,
    Minus,
    /// `@`
    Abs,
    Other(Rc<str>),
}

/// A call. Functions with a grammar of their own (`substring(a FROM b)`, `trim(BOTH a FROM b)`, `extract(year FROM a)`,
/// `position(a IN b)`, `current_date`) are calls of the function PostgreSQL makes of them, with its arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    pub name: ObjectName,
    pub arguments: Vec<Expr>,
    /// `count(*)`
    pub star: bool,
    pub distinct: bool,
    pub order_by: Vec<OrderByExpr>,
    pub filter: Option<Expr>,
    pub over: Option<WindowSpec>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct WindowSpec {
    pub partition_by: Vec<Expr>,
    pub order_by: Vec<OrderByExpr>,
}

/// By the name PostgreSQL has for it inside: `int4`, `varchar`, `timestamptz`. One that was quoted or that PostgreSQL
/// does not spell in words of its own stands as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataType {
    pub name: ObjectName,
    /// `numeric(10, 2)`, `varchar(20)`, `timestamp(3)`.
    pub modifiers: Vec<i64>,
    pub dimensions: usize,
    /// `interval day to second`: the words after it.
    pub fields: Option<Rc<str>>,
    /// As it was written, for messages.
    pub text: Rc<str>,
}

// Writing

#[derive(Debug, Clone, PartialEq)]
pub struct Insert {
    pub table: ObjectName,
    pub alias: Option<Ident>,
    pub columns: Vec<Ident>,
    /// `None`: DEFAULT VALUES.
    pub source: Option<Query>,
    pub on_conflict: Option<OnConflict>,
    pub returning: Option<Vec<SelectItem>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct OnConflict {
    pub target: Option<ConflictTarget>,
    /// `None`: DO NOTHING.
    pub update: Option<ConflictUpdate>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ConflictTarget {
    Columns(Vec<Ident>),
    Constraint(Ident),
}

#[derive(Debug, Clone, PartialEq)]
pub struct ConflictUpdate {
    pub assignments: Vec<Assignment>,
    pub selection: Option<Expr>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Assignment {
    Column { column: ObjectName, value: Expr },
    Row { columns: Vec<ObjectName>, values: Vec<Expr> },
}

#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    pub table: ObjectName,
    pub alias: Option<Ident>,
    pub assignments: Vec<Assignment>,
    pub from: Vec<TableWithJoins>,
    pub selection: Option<Expr>,
    pub returning: Option<Vec<SelectItem>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Delete {
    pub table: ObjectName,
    pub alias: Option<Ident>,
    pub using: Vec<TableWithJoins>,
    pub selection: Option<Expr>,
    pub returning: Option<Vec<SelectItem>>,
}

// Tables

#[derive(Debug, Clone, PartialEq)]
pub struct CreateTable {
    pub name: ObjectName,
    pub if_not_exists: bool,
    pub temporary: bool,
    pub on_commit: Option<OnCommit>,
    pub columns: Vec<ColumnDef>,
    pub constraints: Vec<TableConstraint>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnCommit {
    PreserveRows,
    DeleteRows,
    Drop,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ColumnDef {
    pub name: Ident,
    pub data_type: DataType,
    pub constraints: Vec<ColumnConstraint>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ColumnConstraint {
    pub name: Option<Ident>,
    pub kind: ColumnConstraintKind,
    pub deferrable: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ColumnConstraintKind {
    Null,
    NotNull,
    Default(Expr),
    /// GENERATED ALWAYS AS (…) STORED
    Generated(Expr),
    Identity {
        always: bool,
        options: Vec<SequenceOption>,
    },
    Check(Expr),
    PrimaryKey,
    Unique,
    References(References),
}

#[derive(Debug, Clone, PartialEq)]
pub struct TableConstraint {
    pub name: Option<Ident>,
    pub kind: TableConstraintKind,
    pub deferrable: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum TableConstraintKind {
    PrimaryKey(Vec<Ident>),
    Unique(Vec<Ident>),
    Check(Expr),
    ForeignKey { columns: Vec<Ident>, references: References },
}

#[derive(Debug, Clone, PartialEq)]
pub struct References {
    pub table: ObjectName,
    pub columns: Vec<Ident>,
    pub on_delete: ReferentialAction,
    pub on_update: ReferentialAction,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferentialAction {
    NoAction,
    Restrict,
    Cascade,
    SetNull,
    SetDefault,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SequenceOption {
    IncrementBy(i64),
    StartWith(i64),
    /// `None`: NO MINVALUE.
    MinValue(Option<i64>),
    MaxValue(Option<i64>),
    Cache(i64),
    Cycle(bool),
    As(DataType),
    OwnedBy(Option<ObjectName>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateIndex {
    pub name: Option<Ident>,
    pub table: ObjectName,
    pub if_not_exists: bool,
    pub unique: bool,
    pub concurrently: bool,
    /// The access method; `None`: btree.
    pub using: Option<Ident>,
    pub columns: Vec<IndexColumn>,
    pub predicate: Option<Expr>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct IndexColumn {
    pub expr: Expr,
    /// The expression as it was written.
    pub text: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateSequence {
    pub name: ObjectName,
    pub temporary: bool,
    pub if_not_exists: bool,
    pub options: Vec<SequenceOption>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterTable {
    pub name: ObjectName,
    pub if_exists: bool,
    pub operations: Vec<AlterTableOperation>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum AlterTableOperation {
    AddColumn { column: ColumnDef, if_not_exists: bool },
    AddConstraint(TableConstraint),
    DropColumn { column: Ident, if_exists: bool, cascade: bool },
    DropConstraint { constraint: Ident, if_exists: bool, cascade: bool },
    RenameColumn { from: Ident, to: Ident },
    RenameTable(Ident),
    SetNotNull(Ident),
    DropNotNull(Ident),
    SetDefault { column: Ident, default: Expr },
    DropDefault(Ident),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Drop {
    pub kind: ObjectKind,
    pub if_exists: bool,
    pub names: Vec<ObjectName>,
    pub cascade: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectKind {
    Table,
    Index,
    Sequence,
}

/// What a comment is about. No one reads the comment itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Commented {
    Relation { kind: ObjectKind, name: ObjectName },
    Column { table: ObjectName, column: Ident },
}

#[derive(Debug, Clone, PartialEq)]
pub struct Truncate {
    pub tables: Vec<ObjectName>,
    pub restart_identity: bool,
    pub cascade: bool,
}

impl Expr {
    /// Where its first part stands.
    pub fn begin(&self) -> CursorPosition {
        use ExprKind as K;
        let mut first = self;
        let mut begin = self.at;
        loop {
            first = match &first.kind {
                K::Binary { left: first, .. }
                | K::Is { expr: first, .. }
                | K::IsDistinctFrom { left: first, .. }
                | K::InList { expr: first, .. }
                | K::InSubquery { expr: first, .. }
                | K::Between { expr: first, .. }
                | K::Like { expr: first, .. }
                | K::Quantified { left: first, .. }
                | K::QuantifiedSubquery { left: first, .. }
                | K::AtTimeZone { timestamp: first, .. }
                | K::Cast { expr: first, .. } => first,
                K::Logical { terms, .. } if !terms.is_empty() => &terms[0],
                _ => return begin,
            };
            begin = CursorPosition(begin.0.min(first.at.0));
        }
    }
}

impl ObjectName {
    /// Where its first part stands.
    pub fn begin(&self) -> CursorPosition {
        self.0.first().map_or(CursorPosition::default(), |part| part.at)
    }
}

impl std::fmt::Display for BinaryOperator {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(match self {
            BinaryOperator::Equal => "=",
            BinaryOperator::NotEqual => "<>",
            BinaryOperator::Less => "<",
            BinaryOperator::LessEqual => "<=",
            BinaryOperator::Greater => ">",
            BinaryOperator::GreaterEqual => ">=",
            BinaryOperator::Plus => "+",
            BinaryOperator::Minus => "-",
            BinaryOperator::Multiply => "*",
            BinaryOperator::Divide => "/",
            BinaryOperator::Modulo => "%",
            BinaryOperator::Concat => "||",
            BinaryOperator::Arrow => "->",
            BinaryOperator::LongArrow => "->>",
            BinaryOperator::Other(written) => written,
        })
    }
}

impl std::fmt::Display for ObjectName {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let parts: Vec<&str> = self.0.iter().map(|part| &*part.name).collect();
        f.write_str(&parts.join("."))
    }
}
