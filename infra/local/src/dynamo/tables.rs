//! Makes the template's tables where they are not there yet. It never removes or rewrites anything.

use dynoxide::Database;
use serde_json::{Value, json};

use super::{Call, Counts, DynamoError, request};
use crate::template::Table;

/// Adds what the table lacks: itself, an index, its expiry.
pub(super) fn ensure(database: &Database, table: &Table) -> Result<(), DynamoError> {
    let ask = |operation: &str, body: &Value| ask(database, table, operation, body);
    let name = json!({ "TableName": table.name });
    match ask("DescribeTable", &name) {
        Ok(described) => {
            for index in missing_indexes(table, &described["Table"]["GlobalSecondaryIndexes"]) {
                ask(
                    "UpdateTable",
                    &json!({
                        "TableName": table.name,
                        "AttributeDefinitions": table.attributes,
                        "GlobalSecondaryIndexUpdates": [{ "Create": index }],
                    }),
                )?;
            }
        }
        Err(_) => {
            let mut definition = json!({
                "TableName": table.name,
                "AttributeDefinitions": table.attributes,
                "KeySchema": table.key_schema,
                "BillingMode": "PAY_PER_REQUEST",
            });
            if let Some(indexes) = &table.indexes {
                definition["GlobalSecondaryIndexes"] = indexes.clone();
            }
            ask("CreateTable", &definition)?;
        }
    }
    let Some(attribute) = &table.ttl else {
        return Ok(());
    };
    let expiry = ask("DescribeTimeToLive", &name)?;
    if expiry["TimeToLiveDescription"]["AttributeName"] != attribute.as_str() {
        ask(
            "UpdateTimeToLive",
            &json!({
                "TableName": table.name,
                "TimeToLiveSpecification": { "AttributeName": attribute, "Enabled": true },
            }),
        )?;
    }
    Ok(())
}

fn missing_indexes<'a>(table: &'a Table, existing: &Value) -> Vec<&'a Value> {
    let existing: Vec<&Value> = existing
        .as_array()
        .into_iter()
        .flatten()
        .map(|index| &index["IndexName"])
        .collect();
    let wanted = table
        .indexes
        .as_ref()
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    wanted
        .filter(|index| !existing.contains(&&index["IndexName"]))
        .collect()
}

fn ask(
    database: &Database,
    table: &Table,
    operation: &str,
    body: &Value,
) -> Result<Value, DynamoError> {
    let call = Call {
        operation: operation.to_owned(),
        body: body.to_string(),
    };
    let answer = request::execute(database, &call, &Counts::default());
    if answer.status == 200 {
        return serde_json::from_str(&answer.body)
            .map_err(|error| failed(table, error.to_string()));
    }
    Err(failed(table, answer.body))
}

fn failed(table: &Table, message: String) -> DynamoError {
    DynamoError::Table {
        table: table.name.clone(),
        message,
    }
}
