//! The store: every promise of the log, each checked on SQLite and on PostgreSQL.
//!
//! A case is an `async fn(&Ground)`. `on_both!` makes two tests of it, which differ only in where the ground
//! lies; what only one of the two databases can suffer stands in `sqlite_trouble` and `postgres_trouble`.

/// Makes a test on SQLite and a test on PostgreSQL of each case named.
macro_rules! on_both {
    ($($case:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[test] fn $case() { $crate::store::ground::run($crate::store::ground::Ground::sqlite(), super::$case) })+
        }
        mod on_postgres {
            $(#[test] fn $case() { $crate::store::ground::run($crate::store::ground::Ground::postgres(), super::$case) })+
        }
    };
}

mod appends;
mod backups;
mod columns;
mod documents;
mod drafts;
mod evidence;
mod ground;
mod looks;
mod order;
mod postgres_trouble;
mod proxy;
mod retries;
mod sqlite_trouble;
mod tables;
mod tampering;
