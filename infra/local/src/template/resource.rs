//! From resources to the typed stack. The two lists at the top decide what the template may hold.

use std::time::Duration;

use serde_json::{Map, Value};

use super::intrinsic::Scope;
use super::{Queue, Stack, Table, TemplateError, function, name_of_queue, websocket};

/// Types that mean nothing in one process without an account.
const MEANINGLESS: &[&str] = &[
    "AWS::ApiGatewayV2::RouteResponse",
    "AWS::CloudWatch::Alarm",
    "AWS::IAM::ManagedPolicy",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
];

/// A resource whose properties are resolved when they are needed.
pub(super) struct Resource<'a> {
    pub(super) id: &'a str,
    pub(super) kind: &'a str,
    properties: &'a Value,
}

impl Resource<'_> {
    /// The properties, all of which must be in the list: one that is not could change what the
    /// resource is.
    pub(super) fn properties(
        &self,
        scope: &Scope<'_>,
        known: &[&str],
    ) -> Result<Properties, TemplateError> {
        Properties::new(scope.resolve(self.properties, self.id)?, self.id, known)
    }
}

/// The resolved properties of one thing, with the place for errors.
pub(super) struct Properties {
    map: Map<String, Value>,
    place: String,
}

impl Properties {
    pub(super) fn new(value: Value, place: &str, known: &[&str]) -> Result<Self, TemplateError> {
        let map = match value {
            Value::Object(map) => map,
            Value::Null => Map::new(),
            _ => {
                return Err(TemplateError::invalid(
                    place,
                    "its properties are not a mapping",
                ));
            }
        };
        match map.keys().find(|key| !known.contains(&key.as_str())) {
            Some(property) => Err(TemplateError::UnknownProperty {
                place: place.to_owned(),
                property: property.clone(),
            }),
            None => Ok(Self {
                map,
                place: place.to_owned(),
            }),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.map.get(name)
    }

    pub(super) fn required(&self, name: &str) -> Result<&Value, TemplateError> {
        self.get(name)
            .ok_or_else(|| TemplateError::invalid(&self.place, format!("{name} is missing")))
    }

    pub(super) fn text(&self, name: &str) -> Result<&str, TemplateError> {
        let value = self.required(name)?;
        value
            .as_str()
            .ok_or_else(|| TemplateError::invalid(&self.place, format!("{name} is not text")))
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, TemplateError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let number = value
            .as_u64()
            .or_else(|| value.as_str().and_then(|text| text.parse().ok()));
        number
            .map(Some)
            .ok_or_else(|| TemplateError::invalid(&self.place, format!("{name} is not a number")))
    }

    pub(super) fn seconds(&self, name: &str, default: u64) -> Result<Duration, TemplateError> {
        Ok(Duration::from_secs(self.number(name)?.unwrap_or(default)))
    }
}

pub(super) fn stack(document: &Value, scope: &Scope<'_>) -> Result<Stack, TemplateError> {
    let resources = resources(document, scope)?;
    let mut stack = Stack {
        functions: function::all(document, &resources, scope)?,
        ..Stack::default()
    };
    for resource in &resources {
        match resource.kind {
            "AWS::DynamoDB::Table" => stack.tables.push(table(resource, scope)?),
            "AWS::S3::Bucket" => stack.buckets.push(resource.id.to_owned()),
            "AWS::SQS::Queue" => stack
                .queues
                .extend(queue(resource, &resources, &stack, scope)?),
            kind if function::KINDS.contains(&kind) || MEANINGLESS.contains(&kind) => {}
            kind => {
                return Err(TemplateError::UnknownType {
                    resource: resource.id.to_owned(),
                    kind: kind.to_owned(),
                });
            }
        }
    }
    function::check_readers(&stack)?;
    stack.websocket = websocket::read(&resources, &stack.functions, scope)?;
    Ok(stack)
}

fn resources<'a>(
    document: &'a Value,
    scope: &Scope<'_>,
) -> Result<Vec<Resource<'a>>, TemplateError> {
    let mut resources = Vec::new();
    for (id, body) in document["Resources"].as_object().into_iter().flatten() {
        if let Some(condition) = body["Condition"].as_str()
            && !scope.holds(condition, id)?
        {
            continue;
        }
        let kind = body["Type"]
            .as_str()
            .ok_or_else(|| TemplateError::invalid(id, "it has no type"))?;
        resources.push(Resource {
            id,
            kind,
            properties: &body["Properties"],
        });
    }
    Ok(resources)
}

fn table(resource: &Resource<'_>, scope: &Scope<'_>) -> Result<Table, TemplateError> {
    let known = [
        "AttributeDefinitions",
        "BillingMode",
        "GlobalSecondaryIndexes",
        "KeySchema",
        "PointInTimeRecoverySpecification",
        "TimeToLiveSpecification",
    ];
    let properties = resource.properties(scope, &known)?;
    let ttl = match properties.get("TimeToLiveSpecification") {
        Some(ttl) if ttl["Enabled"] == true => ttl["AttributeName"].as_str().map(str::to_owned),
        _ => None,
    };
    Ok(Table {
        name: resource.id.to_owned(),
        attributes: properties.required("AttributeDefinitions")?.clone(),
        key_schema: properties.required("KeySchema")?.clone(),
        indexes: properties.get("GlobalSecondaryIndexes").cloned(),
        ttl,
    })
}

/// A queue, or `None` when it is the dead-letter queue of another.
fn queue(
    resource: &Resource<'_>,
    all: &[Resource<'_>],
    stack: &Stack,
    scope: &Scope<'_>,
) -> Result<Option<Queue>, TemplateError> {
    let known = [
        "ContentBasedDeduplication",
        "DeduplicationScope",
        "DelaySeconds",
        "FifoQueue",
        "FifoThroughputLimit",
        "MessageRetentionPeriod",
        "RedrivePolicy",
        "VisibilityTimeout",
    ];
    let properties = resource.properties(scope, &known)?;
    let Some(name) = name_of_queue(&stack.functions, resource.id)? else {
        return if is_dead_letter_queue(resource.id, all, scope)? {
            Ok(None)
        } else {
            Err(TemplateError::invalid(
                resource.id,
                "no function is given this queue under a name that the code knows",
            ))
        };
    };
    let redrive = properties.required("RedrivePolicy")?.clone();
    let redrive = Properties::new(
        redrive,
        resource.id,
        &["deadLetterTargetArn", "maxReceiveCount"],
    )?;
    let dead = redrive.text("deadLetterTargetArn")?;
    if !all
        .iter()
        .any(|other| other.kind == "AWS::SQS::Queue" && dead == format!("{}.Arn", other.id))
    {
        return Err(TemplateError::invalid(
            resource.id,
            format!("its dead-letter queue {dead} is not a queue"),
        ));
    }
    let max_receive = redrive
        .number("maxReceiveCount")?
        .and_then(|count| u32::try_from(count).ok());
    Ok(Some(Queue {
        id: resource.id.to_owned(),
        name,
        fifo: properties.get("FifoQueue").is_some_and(|fifo| fifo == true),
        visibility: properties.seconds("VisibilityTimeout", 30)?,
        delay: properties.seconds("DelaySeconds", 0)?,
        max_receive: max_receive
            .ok_or_else(|| TemplateError::invalid(resource.id, "maxReceiveCount is missing"))?,
    }))
}

fn is_dead_letter_queue(
    id: &str,
    all: &[Resource<'_>],
    scope: &Scope<'_>,
) -> Result<bool, TemplateError> {
    let arn = format!("{id}.Arn");
    for other in all.iter().filter(|other| other.kind == "AWS::SQS::Queue") {
        let policy = scope.resolve(&other.properties["RedrivePolicy"], other.id)?;
        if policy["deadLetterTargetArn"] == arn.as_str() {
            return Ok(true);
        }
    }
    Ok(false)
}
