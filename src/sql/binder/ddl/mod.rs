//! Definitions: what CREATE and ALTER say of tables, columns, constraints, indexes and sequences, with names and types resolved.
//! Whoever executes such a statement asks for its parts one after the other, for each may lean on what those before it have made:
//! a CHECK reads the columns, a foreign key the primary key of its own table.

mod column;
mod constraint;
mod declarations;
mod foreign_key;
mod index;
mod sequence;
mod table;

pub use constraint::{ConstraintDefinition, KeyDefinition, UnboundConstraint, check_name_is_free};
pub use foreign_key::ForeignKeyDefinition;
pub use index::IndexDefinition;
pub use sequence::{SequenceDefinition, sequence_default};
pub use table::{TableDefinition, lifetime};
