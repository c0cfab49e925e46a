//! Statements whose text depends on what is asked. Values are only ever bound, never part of the text.

use sqlx::any::{Any, AnyArguments, AnyRow};
use sqlx::{Arguments as _, AssertSqlSafe, Encode, Executor, Type};

use crate::address::Dialect;
use crate::columns::list_text;
use crate::text::storable;

/// A text and the values for its `$1`, `$2`, …
pub(crate) struct Statement {
    text: String,
    values: AnyArguments,
    count: usize,
}

impl Statement {
    pub(crate) fn new(text: &'static str) -> Self {
        Self { text: text.to_owned(), values: AnyArguments::default(), count: 0 }
    }

    /// Appends text of the program itself.
    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Keeps a value and answers how it is named in the text.
    pub(crate) fn value<'v, T: Encode<'v, Any> + Type<Any>>(&mut self, value: T) -> sqlx::Result<String> {
        self.values.add(value).map_err(sqlx::Error::Encode)?;
        self.count += 1;
        Ok(format!("${}", self.count))
    }

    /// A condition that an expression is one of a list of any length.
    pub(crate) fn among(
        &mut self,
        dialect: Dialect,
        expression: &str,
        list: &[String],
    ) -> sqlx::Result<String> {
        // A JSON value of PostgreSQL holds no NUL, not even escaped.
        let list: Vec<String> = list.iter().map(|text| storable(text).into_owned()).collect();
        let value = self.value(list_text(&list))?;
        Ok(match dialect {
            Dialect::Sqlite => format!("{expression} IN (SELECT value FROM json_each({value}))"),
            Dialect::PostgreSql => {
                format!("{expression} IN (SELECT jsonb_array_elements_text(CAST({value} AS jsonb)))")
            }
        })
    }

    /// The same, for the plan instead of the rows.
    #[cfg(test)]
    pub(crate) fn explained(mut self) -> Self {
        self.text.insert_str(0, "EXPLAIN QUERY PLAN ");
        self
    }

    /// All rows.
    pub(crate) async fn fetch<'e, E: Executor<'e, Database = Any>>(
        self,
        executor: E,
    ) -> sqlx::Result<Vec<AnyRow>> {
        // Not kept by the connection: the next text differs.
        sqlx::query_with(AssertSqlSafe(self.text), self.values).persistent(false).fetch_all(executor).await
    }

    /// Runs it. `kept` says whether the same text comes again, so that the connection had better remember it.
    pub(crate) async fn execute<'e, E: Executor<'e, Database = Any>>(
        self,
        executor: E,
        kept: bool,
    ) -> sqlx::Result<u64> {
        let query = sqlx::query_with(AssertSqlSafe(self.text), self.values).persistent(kept);
        Ok(query.execute(executor).await?.rows_affected())
    }
}
