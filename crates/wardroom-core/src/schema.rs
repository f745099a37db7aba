//! How types that are written as strings are described to readers of the API.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

macro_rules! written_as_string {
    ($($name:ty),*) => {$(
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                String::schema()
            }
        }
        impl ToSchema for $name {}
    )*};
}

written_as_string!(crate::id::Who, crate::id::Actor, crate::matching::Label, crate::text::Text);
