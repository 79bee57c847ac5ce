//! Functions and what sets them off: queues, schedules and HTTP routes.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::intrinsic::Scope;
use super::resource::{Properties, Resource};
use super::{Function, Route, Source, Stack, TemplateError, name_of_queue, websocket};

pub(super) const KINDS: &[&str] = &[
    "AWS::Serverless::Function",
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Stage",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
];

/// What a function has when the template does not say (SAM: `MemorySize`).
const MEMORY_MB: u64 = 128;

/// Every function with its routes, schedules and queues.
pub(super) fn all(
    document: &Value,
    resources: &[Resource<'_>],
    scope: &Scope<'_>,
) -> Result<Vec<Function>, TemplateError> {
    let globals = scope.resolve(&document["Globals"]["Function"], "Globals.Function")?;
    let mut functions = Vec::new();
    let mut events = Vec::new();
    for resource in of_kind(resources, "AWS::Serverless::Function") {
        let (function, own) = function(resource, &globals, scope)?;
        functions.push(function);
        events.push(own);
    }
    let websockets = websocket::api(resources, scope)?;
    for resource in of_kind(resources, "AWS::ApiGatewayV2::Route") {
        let Some((id, route)) = route(resource, resources, websockets, scope)? else {
            continue;
        };
        let function = functions.iter_mut().find(|function| function.id == id);
        let function = function.ok_or_else(|| {
            TemplateError::invalid(resource.id, format!("there is no function {id}"))
        })?;
        function.routes.push(route);
    }
    // A queue is named by the variables of the functions, so its readers come after all of those.
    for (index, events) in events.iter().enumerate() {
        for (name, event) in events.as_object().into_iter().flatten() {
            let place = format!("{}.Events.{name}", functions[index].id);
            match event["Type"].as_str() {
                Some("SQS") => {
                    let source = source(event["Properties"].clone(), &place, &functions)?;
                    functions[index].sources.push(source);
                }
                Some("Schedule" | "ScheduleV2") => {
                    let schedule = schedule(event["Properties"].clone(), &place)?;
                    functions[index].schedules.push(schedule);
                }
                kind => {
                    let message = format!(
                        "events of type {} are not known here",
                        kind.unwrap_or("(none)")
                    );
                    return Err(TemplateError::invalid(&place, message));
                }
            }
        }
    }
    Ok(functions)
}

/// Each queue has one function that receives from it, and stays invisible for long enough.
pub(super) fn check_readers(stack: &Stack) -> Result<(), TemplateError> {
    for queue in &stack.queues {
        let readers: Vec<&Function> = stack
            .functions
            .iter()
            .filter(|f| f.sources.iter().any(|source| source.queue == queue.name))
            .collect();
        let [reader] = readers.as_slice() else {
            let message = format!("{} functions receive from it instead of one", readers.len());
            return Err(TemplateError::invalid(&queue.id, message));
        };
        let batched = |source: &Source| source.queue == queue.name && source.batch_size > 1;
        if queue.fifo && reader.sources.iter().any(batched) {
            // Messages of one batch are worked on side by side, and two may be of one group.
            let message = format!(
                "{} must take one message at a time to keep its order",
                reader.id
            );
            return Err(TemplateError::invalid(&queue.id, message));
        }
        if queue.visibility < reader.timeout * 6 {
            let message = format!(
                "its visibility time-out is less than six times that of {}",
                reader.id
            );
            return Err(TemplateError::invalid(&queue.id, message));
        }
    }
    Ok(())
}

fn of_kind<'r, 'a>(
    resources: &'r [Resource<'a>],
    kind: &'r str,
) -> impl Iterator<Item = &'r Resource<'a>> {
    resources
        .iter()
        .filter(move |resource| resource.kind == kind)
}

/// A function, and its events as they are written.
fn function(
    resource: &Resource<'_>,
    globals: &Value,
    scope: &Scope<'_>,
) -> Result<(Function, Value), TemplateError> {
    let known = [
        "Architectures",
        "CodeUri",
        "Environment",
        "Events",
        "Handler",
        "LoggingConfig",
        "MemorySize",
        "Policies",
        "RecursiveLoop",
        "Runtime",
        "Timeout",
    ];
    let own = resource.properties(scope, &known)?;
    let global = Properties::new(globals.clone(), "Globals.Function", &known)?;
    let timeout = match own.number("Timeout")? {
        Some(seconds) => Duration::from_secs(seconds),
        None => global.seconds("Timeout", 3)?,
    };
    let mut environment = BTreeMap::new();
    for properties in [&global, &own] {
        let variables = properties
            .get("Environment")
            .and_then(|environment| environment["Variables"].as_object());
        for (name, value) in variables.into_iter().flatten() {
            environment.insert(name.clone(), value.as_str().unwrap_or_default().to_owned());
        }
    }
    // The folder that holds a function's artifact is named after its crate.
    let code = own.text("CodeUri")?.trim_end_matches('/');
    let name = code.rsplit('/').next().unwrap_or(code).to_owned();
    let function = Function {
        id: resource.id.to_owned(),
        name,
        timeout,
        memory_mb: own
            .number("MemorySize")?
            .or(global.number("MemorySize")?)
            .unwrap_or(MEMORY_MB),
        environment,
        sources: Vec::new(),
        routes: Vec::new(),
        schedules: Vec::new(),
    };
    Ok((function, own.get("Events").cloned().unwrap_or_default()))
}

fn source(properties: Value, place: &str, functions: &[Function]) -> Result<Source, TemplateError> {
    let known = [
        "BatchSize",
        "FunctionResponseTypes",
        "MaximumBatchingWindowInSeconds",
        "Queue",
        "ScalingConfig",
    ];
    let properties = Properties::new(properties, place, &known)?;
    // Without it one failed message would bring back the whole batch, and the local process would
    // behave better than AWS.
    if properties.get("FunctionResponseTypes")
        != Some(&serde_json::json!(["ReportBatchItemFailures"]))
    {
        return Err(TemplateError::invalid(
            place,
            "FunctionResponseTypes is not [ReportBatchItemFailures]",
        ));
    }
    let arn = properties.text("Queue")?;
    let queue = match arn.strip_suffix(".Arn") {
        Some(id) => name_of_queue(functions, id)?,
        None => None,
    };
    let scaling = Properties::new(
        properties.get("ScalingConfig").cloned().unwrap_or_default(),
        place,
        &["MaximumConcurrency"],
    )?;
    let whole = |number: Option<u64>| number.and_then(|number| usize::try_from(number).ok());
    Ok(Source {
        queue: queue.ok_or_else(|| {
            TemplateError::invalid(place, format!("{arn} is not a queue of ours"))
        })?,
        batch_size: whole(properties.number("BatchSize")?).unwrap_or(10),
        max_concurrency: whole(scaling.number("MaximumConcurrency")?),
    })
}

/// `rate(5 minutes)`. A cron expression is refused until something needs one.
fn schedule(properties: Value, place: &str) -> Result<Duration, TemplateError> {
    let properties = Properties::new(properties, place, &["Schedule", "ScheduleExpression"])?;
    let text = properties.text(if properties.get("Schedule").is_some() {
        "Schedule"
    } else {
        "ScheduleExpression"
    })?;
    let rate = text
        .strip_prefix("rate(")
        .and_then(|rest| rest.strip_suffix(')'));
    let seconds = rate
        .and_then(|rate| rate.split_once(' '))
        .and_then(|(count, unit)| {
            let unit = match unit.trim_end_matches('s') {
                "minute" => 60,
                "hour" => 3600,
                "day" => 86400,
                _ => return None,
            };
            count
                .parse::<u64>()
                .ok()
                .filter(|count| *count > 0)
                .map(|count| count * unit)
        });
    seconds
        .map(Duration::from_secs)
        .ok_or_else(|| TemplateError::invalid(place, format!("{text} is not a rate")))
}

/// A route and the logical id of the function it leads to; `None` when it is of the websockets.
fn route(
    resource: &Resource<'_>,
    all: &[Resource<'_>],
    websockets: Option<&str>,
    scope: &Scope<'_>,
) -> Result<Option<(String, Route)>, TemplateError> {
    let known = [
        "ApiId",
        "RouteKey",
        "RouteResponseSelectionExpression",
        "Target",
    ];
    let properties = resource.properties(scope, &known)?;
    if websockets.is_some_and(|api| properties.get("ApiId").is_some_and(|id| id == api)) {
        return Ok(None);
    }
    let function = target(resource, &properties, all, scope)?;
    let key = properties.text("RouteKey")?;
    let (method, path) = key.split_once(' ').ok_or_else(|| {
        TemplateError::invalid(resource.id, format!("{key} is not a method and a path"))
    })?;
    let (path, prefix) = match path.strip_suffix("/{proxy+}") {
        Some(path) => (path, true),
        None => (path, false),
    };
    if path.contains('{') {
        return Err(TemplateError::invalid(
            resource.id,
            format!("{key}: only a last {{proxy+}} is known here"),
        ));
    }
    let method = (method != "ANY").then(|| method.to_owned());
    let route = Route {
        method,
        path: path.to_owned(),
        prefix,
    };
    Ok(Some((function, route)))
}

/// The logical id of the function that a route leads to, through its integration.
pub(super) fn target(
    route: &Resource<'_>,
    properties: &Properties,
    all: &[Resource<'_>],
    scope: &Scope<'_>,
) -> Result<String, TemplateError> {
    let target = properties.text("Target")?;
    let integration = target
        .strip_prefix("integrations/")
        .and_then(|id| {
            all.iter()
                .find(|r| r.id == id && r.kind == "AWS::ApiGatewayV2::Integration")
        })
        .ok_or_else(|| {
            TemplateError::invalid(route.id, format!("{target} is not an integration"))
        })?;
    let known = [
        "ApiId",
        "IntegrationType",
        "IntegrationUri",
        "PayloadFormatVersion",
    ];
    let properties = integration.properties(scope, &known)?;
    let uri = properties.text("IntegrationUri")?;
    // A gateway of websockets wants the function's address for invocations around its name.
    let arn = match uri.rsplit_once("/functions/") {
        Some((_, arn)) => arn.strip_suffix("/invocations").unwrap_or(arn),
        None => uri,
    };
    arn.strip_suffix(".Arn")
        .map(str::to_owned)
        .ok_or_else(|| TemplateError::invalid(integration.id, "IntegrationUri is not a function"))
}
