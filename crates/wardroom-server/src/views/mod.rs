//! Tables of views: fed by a cursor over the log, disposable, made anew from it at any time.

pub mod audit;
pub mod board;
