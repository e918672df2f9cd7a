//! Calls: of functions, and of what has a grammar of its own in PostgreSQL and is a function behind it.

use std::rc::Rc;

use squawk_syntax::{SyntaxKind, SyntaxKind::*, SyntaxNode};

use super::super::ast::{Expr, ExprKind, Function, Ident, Literal, ObjectName, OrderByExpr, WindowSpec};
use super::literals::string_value;
use super::tree::Tree;
use super::{Lowering, Result, refuse, spelled};

/// Words that are a value, and functions without parentheses behind it.
pub fn is_value_function(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        CURRENT_DATE_KW
            | CURRENT_TIME_KW
            | CURRENT_TIMESTAMP_KW
            | LOCALTIME_KW
            | LOCALTIMESTAMP_KW
            | CURRENT_ROLE_KW
            | CURRENT_USER_KW
            | USER_KW
            | SESSION_USER_KW
            | CURRENT_CATALOG_KW
            | CURRENT_SCHEMA_KW
    )
}

impl Lowering<'_> {
    /// A name alone: a column, or a word that is a value.
    pub fn name(&self, node: &SyntaxNode) -> Result<ExprKind> {
        if node.first_token().is_some_and(|token| is_value_function(token.kind())) {
            return Ok(ExprKind::Function(self.function(ObjectName(vec![self.ident(node)]), Vec::new())));
        }
        Ok(ExprKind::Column(ObjectName(vec![self.ident(node)])))
    }

    fn function(&self, name: ObjectName, arguments: Vec<Expr>) -> Box<Function> {
        Box::new(Function {
            name,
            arguments,
            star: false,
            distinct: false,
            order_by: Vec::new(),
            filter: None,
            over: None,
        })
    }

    pub fn call(&self, node: &SyntaxNode) -> Result<ExprKind> {
        let Some(called) = node.first_child() else { return self.unexpected(node.start()) };
        let function = match called.kind() {
            NAME_REF | FIELD_EXPR => self.plain_call(node, &called)?,
            EXISTS_FN => {
                return match self.parenthesised_query(&called) {
                    Some(query) => Ok(ExprKind::Exists(query?)),
                    None => self.unexpected(called.start()),
                };
            }
            ANY_FN | SOME_FN | ALL_FN => return self.unexpected(called.start()),
            _ => self.special_call(&called)?,
        };
        Ok(ExprKind::Function(self.with_clauses(node, function)?))
    }

    #[inline(never)]
    fn plain_call(&self, node: &SyntaxNode, called: &SyntaxNode) -> Result<Box<Function>> {
        let mut function = self.function(self.object_name(called), Vec::new());
        let name = function.name.to_string();
        let Some(list) = node.part(ARG_LIST) else { return Ok(function) };
        function.star = list.has(STAR);
        function.distinct = list.has(DISTINCT);
        for argument in list.parts(ARG) {
            if argument.has(VARIADIC_KW) || argument.has(NAMED_ARG) {
                return refuse(format!("this form of the arguments of {name}()"));
            }
            function.arguments.push(self.only_expression(&argument)?);
            if let Some(order) = argument.part(ORDER_BY_CLAUSE) {
                function.order_by = self.order_by(&order)?;
            }
        }
        Ok(function)
    }

    /// FILTER and OVER.
    #[inline(never)]
    fn with_clauses(&self, node: &SyntaxNode, mut function: Box<Function>) -> Result<Box<Function>> {
        if node.has(WITHIN_CLAUSE) || node.has(RESPECT_NULLS) || node.has(IGNORE_NULLS) {
            return refuse(format!("this form of {}()", function.name));
        }
        if let Some(filter) = node.part(FILTER_CLAUSE) {
            function.filter = Some(self.only_expression(&filter)?);
        }
        if let Some(over) = node.part(OVER_CLAUSE) {
            function.over = Some(self.window(&over)?);
        }
        Ok(function)
    }

    #[inline(never)]
    fn window(&self, over: &SyntaxNode) -> Result<WindowSpec> {
        let Some(written) = over.part(OVER_WINDOW_SPEC) else { return refuse("a named window") };
        let Some(spec) = written.part(WINDOW_SPEC) else {
            return Ok(WindowSpec { partition_by: Vec::new(), order_by: Vec::new() });
        };
        if spec.has(WINDOW_REF) {
            return refuse("a named window");
        }
        if spec.has(FRAME_CLAUSE) {
            return refuse("a window frame");
        }
        let partition_by = spec.part(PARTITION_BY_CLAUSE).map(|clause| self.expressions(&clause)).transpose()?;
        let order_by = spec.part(ORDER_BY_CLAUSE).map(|clause| self.order_by(&clause)).transpose()?;
        Ok(WindowSpec { partition_by: partition_by.unwrap_or_default(), order_by: order_by.unwrap_or_default() })
    }

    pub fn order_by(&self, clause: &SyntaxNode) -> Result<Vec<OrderByExpr>> {
        let mut order = Vec::new();
        for item in clause.parts(SORT_BY_LIST).flat_map(|list| list.parts(SORT_BY).collect::<Vec<_>>()) {
            if item.has(SORT_USING) {
                return refuse("ORDER BY … USING");
            }
            let nulls_first = match (item.has(NULLS_FIRST), item.has(NULLS_LAST)) {
                (true, _) => Some(true),
                (_, true) => Some(false),
                _ => None,
            };
            let expr = self.only_expression(&item)?;
            order.push(OrderByExpr { expr, descending: item.has(SORT_DESC), nulls_first });
        }
        Ok(order)
    }

    /// What has words between its arguments.
    #[inline(never)]
    fn special_call(&self, node: &SyntaxNode) -> Result<Box<Function>> {
        let (name, arguments) = match node.kind() {
            EXTRACT_FN => ("extract", vec![self.extract_field(node)?, self.only_expression(node)?]),
            POSITION_FN => {
                let mut arguments = self.expressions(node)?;
                arguments.reverse();
                ("position", arguments)
            }
            SUBSTRING_FN => ("substring", self.substring(node)?),
            TRIM_FN => return self.trim(node),
            OVERLAY_FN => return refuse("overlay()"),
            kind => return refuse(format!("the expression {}", spelled(kind).trim_end_matches(" FN"))),
        };
        Ok(self.function(self.built_in(name, node), arguments))
    }

    fn built_in(&self, name: &str, node: &SyntaxNode) -> ObjectName {
        ObjectName(vec![Ident { name: Rc::from(name), at: self.at(node.start()) }])
    }

    fn extract_field(&self, node: &SyntaxNode) -> Result<Expr> {
        let field = node.children().find(|child| matches!(child.kind(), EXTRACT_FIELD_NAME | EXTRACT_FIELD_LITERAL));
        let Some(field) = field else { return self.unexpected(node.start()) };
        let name = match field.part(LITERAL) {
            Some(literal) => string_value(&literal).unwrap_or_default().to_lowercase().into(),
            None => self.ident(&field).name,
        };
        Ok(Expr { kind: ExprKind::Literal(Literal::String(name)), at: self.at(field.start()) })
    }

    /// `substring(a FROM b FOR c)`, in either order; `substring(a FOR c)` begins with the first character.
    #[inline(never)]
    fn substring(&self, node: &SyntaxNode) -> Result<Vec<Expr>> {
        let Some(inner) = node.first_child() else { return Ok(Vec::new()) };
        if inner.has(NAMED_ARG) {
            return refuse("this form of the arguments of substring()");
        }
        let mut arguments = self.expressions(&inner)?;
        match inner.kind() {
            SUBSTRING_SIMILAR_ESCAPE => return refuse("substring(… SIMILAR … ESCAPE …)"),
            SUBSTRING_FOR_FROM if arguments.len() == 3 => arguments.swap(1, 2),
            SUBSTRING_FOR_FROM => {
                let first = ExprKind::Literal(Literal::Number(Rc::from("1")));
                arguments.insert(1, Expr { kind: first, at: self.at(inner.start()) });
            }
            _ => {}
        }
        Ok(arguments)
    }

    /// `trim(LEADING a FROM b)`: the text first, as in `ltrim(b, a)`.
    #[inline(never)]
    fn trim(&self, node: &SyntaxNode) -> Result<Box<Function>> {
        let name = if node.has(TRIM_LEADING) {
            "ltrim"
        } else if node.has(TRIM_TRAILING) {
            "rtrim"
        } else {
            "btrim"
        };
        let inner = node.children().find(|child| matches!(child.kind(), TRIM_FROM | TRIM_EXPR_FROM | TRIM_EXPRS));
        let Some(inner) = inner else { return self.unexpected(node.start()) };
        let mut arguments = self.expressions(&inner)?;
        if inner.kind() == TRIM_EXPR_FROM {
            arguments.rotate_left(1);
        }
        Ok(self.function(self.built_in(name, node), arguments))
    }
}
