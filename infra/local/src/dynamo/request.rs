//! From a request in JSON to an answer in JSON.

use dynoxide::types::ConsumedCapacity;
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Answer, Call, Counts};

/// The token that the client puts on a transaction for which the caller gave none. The engine would
/// remember every token for ten minutes and look through all of them at each transaction, to
/// recognise retries that this client does not make; so this one never gets there.
pub(super) const NO_TOKEN: &str = "none";

/// Carries out one request.
pub(super) fn execute(database: &Database, call: &Call, counts: &Counts) -> Answer {
    match dispatch(database, call) {
        Ok((body, units)) => {
            counts.done(call, &units);
            Answer { status: 200, body }
        }
        Err(error) => {
            let condition = matches!(
                error,
                DynoxideError::ConditionalCheckFailedException(..)
                    | DynoxideError::TransactionCanceledException(..)
            );
            counts.refused(call, condition);
            Answer {
                status: error.status_code(),
                body: error.to_json(),
            }
        }
    }
}

/// Capacity units by table.
type Cost = Vec<(String, f64)>;

/// The answer and its cost. The engine is asked for the cost every time; a caller
/// who did not ask does not see it.
macro_rules! metered {
    ($database:ident, $call:ident, $operation:ident, $request:ident) => {{
        let mut request: dynoxide::actions::$operation::$request = read(&$call.body)?;
        metered!(@token $operation, request);
        let wanted = request.return_consumed_capacity.as_deref().is_some_and(|mode| mode != "NONE");
        if !wanted {
            request.return_consumed_capacity = Some("TOTAL".to_owned());
        }
        let mut response = $database.$operation(request)?;
        let cost = response.consumed_capacity.iter().flat_map(Units::by_table).collect();
        if !wanted {
            response.consumed_capacity = None;
        }
        Ok((write(&response)?, cost))
    }};
    (@token transact_write_items, $request:ident) => {
        $request.client_request_token.take_if(|token| token == NO_TOKEN);
    };
    (@token $operation:ident, $request:ident) => {};
}

fn dispatch(database: &Database, call: &Call) -> Result<(String, Cost), DynoxideError> {
    match call.operation.as_str() {
        "GetItem" => metered!(database, call, get_item, GetItemRequest),
        "PutItem" => metered!(database, call, put_item, PutItemRequest),
        "UpdateItem" => metered!(database, call, update_item, UpdateItemRequest),
        "DeleteItem" => metered!(database, call, delete_item, DeleteItemRequest),
        "Query" => metered!(database, call, query, QueryRequest),
        "Scan" => metered!(database, call, scan, ScanRequest),
        "BatchGetItem" => metered!(database, call, batch_get_item, BatchGetItemRequest),
        "BatchWriteItem" => metered!(database, call, batch_write_item, BatchWriteItemRequest),
        "TransactGetItems" => metered!(database, call, transact_get_items, TransactGetItemsRequest),
        "TransactWriteItems" => metered!(
            database,
            call,
            transact_write_items,
            TransactWriteItemsRequest
        ),
        "CreateTable" => free(&database.create_table(read(&call.body)?)?),
        "UpdateTable" => free(&database.update_table(read(&call.body)?)?),
        "DescribeTable" => free(&database.describe_table(read(&call.body)?)?),
        "ListTables" => free(&database.list_tables(read(&call.body)?)?),
        "UpdateTimeToLive" => free(&database.update_time_to_live(read(&call.body)?)?),
        "DescribeTimeToLive" => free(&database.describe_time_to_live(read(&call.body)?)?),
        other => Err(DynoxideError::ValidationException(format!(
            "{other} is not carried out by the local process"
        ))),
    }
}

fn free(response: &impl Serialize) -> Result<(String, Cost), DynoxideError> {
    Ok((write(response)?, Cost::new()))
}

fn write(response: &impl Serialize) -> Result<String, DynoxideError> {
    serde_json::to_string(response)
        .map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

/// Reads a request. The engine validates inside deserialisation and marks what it found with a
/// prefix for its own HTTP server; callers must see the message that DynamoDB would send.
fn read<T: DeserializeOwned>(body: &str) -> Result<T, DynoxideError> {
    serde_json::from_str(body).map_err(|error| {
        let full = error.to_string();
        let message = full
            .rsplit_once(" at line ")
            .map_or(full.as_str(), |(message, _)| message);
        let prefixes = ["VALIDATION_REQUEST:", "VALIDATION_AS_READ:", "VALIDATION:"];
        if let Some(message) = prefixes
            .iter()
            .find_map(|prefix| message.strip_prefix(prefix))
        {
            return DynoxideError::ValidationException(message.to_owned());
        }
        let prefixes = ["SERIALIZATION_AS_READ:", "SERIALIZATION:"];
        let message = prefixes
            .iter()
            .find_map(|prefix| message.strip_prefix(prefix))
            .unwrap_or(message);
        DynoxideError::SerializationException(message.to_owned())
    })
}

/// One operation answers with one sum, another with one for each table.
trait Units {
    fn by_table(&self) -> Cost;
}

impl Units for ConsumedCapacity {
    fn by_table(&self) -> Cost {
        vec![(self.table_name.clone(), self.capacity_units)]
    }
}

impl Units for Vec<ConsumedCapacity> {
    fn by_table(&self) -> Cost {
        self.iter().flat_map(Units::by_table).collect()
    }
}
