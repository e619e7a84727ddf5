
//! Tests against real servers, in one program so that they link once.

mod postgres;
mod store;
