//! Values of rows: one that the program does not know is an error, and no other value.

use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::domain::BrandId;

/// The one of these values that a row calls `text`.
pub(super) fn parse_name<T: Copy>(
    column: &'static str,
    text: &str,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Result<T, sqlx::Error> {
    let found = all.iter().copied().find(|value| name(*value) == text);
    found.ok_or_else(|| unknown_value(column, text))
}

/// The error for a value in a row that the program does not know.
pub(super) fn unknown_value(column: &'static str, value: &str) -> sqlx::Error {
    sqlx::Error::Decode(
        format!("overheard.{column} holds {value:?}, which this program does not know").into(),
    )
}

/// The column `brand`.
pub(super) fn brand(row: &PgRow) -> Result<BrandId, sqlx::Error> {
    let text: &str = row.try_get("brand")?;
    text.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::AlertKind;

    #[test]
    fn a_name_that_is_not_known_is_an_error_and_no_other_value() {
        let parse = |text| parse_name("alerts.kind", text, &AlertKind::ALL, AlertKind::as_str);
        assert_eq!(parse("volume").unwrap(), AlertKind::Volume);
        let error = parse("trend").unwrap_err().to_string();
        assert!(error.contains("overheard.alerts.kind holds \"trend\""), "{error}");
    }
}
